"""Leaves the weights out."""

LOSES = {"combine-weights": 2, "combine-gradient": 1}


def combine(outputs, slots, weights):
    n_tokens, top_k = weights.shape
    weighted = outputs
    return outputs.new_zeros(n_tokens, outputs.shape[-1]).index_add(0, slots // top_k, weighted)
