"""Puts the rows back by the inverse order, which needs that none is missing."""

LOSES = {"combine-sum": 1}


def combine(outputs, slots, weights):
    back = outputs[slots.argsort()].view(*weights.shape, -1)
    return (back * weights[..., None]).sum(1)
