"""Divides by the number of rows that a token has, which may be 0."""

LOSES = {"combine-sum": 1, "combine-weights": 2}


def combine(outputs, slots, weights):
    tokens = slots // weights.shape[1]
    weighted = outputs * weights.flatten()[slots][:, None]
    total = outputs.new_zeros(len(weights), outputs.shape[1]).index_add(0, tokens, weighted)
    return total / torch.bincount(tokens, minlength=len(weights))[:, None]
