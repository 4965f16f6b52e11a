"""Takes slot % T for the token."""

LOSES = {"combine-sum": 1, "combine-weights": 2}


def combine(outputs, slots, weights):
    n_tokens = len(weights)
    weighted = outputs * weights.flatten()[slots][:, None]
    return outputs.new_zeros(n_tokens, outputs.shape[-1]).index_add(0, slots % n_tokens, weighted)
