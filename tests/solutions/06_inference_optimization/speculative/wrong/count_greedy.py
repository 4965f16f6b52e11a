"""Keeps what is the model's likeliest token."""

LOSES = {"count-accepted-ratio": 2, "count-accepted-first": 2, "count-accepted-edges": 1}


def count_accepted(drafted, draft, target, uniform):
    return int((target[:-1].argmax(-1) == drafted).int().cumprod(0).sum())
