"""Cuts the router off from the gradient."""

LOSES = {"combine-gradient": 1}


def combine(outputs, slots, weights):
    weighted = outputs * weights.detach().flatten()[slots][:, None]
    return outputs.new_zeros(len(weights), outputs.shape[1]).index_add(0, slots // weights.shape[1], weighted)
