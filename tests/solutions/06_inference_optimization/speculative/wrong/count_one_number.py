"""Uses the first random number for all."""

LOSES = {"count-accepted-first": 2}


def count_accepted(drafted, draft, target, uniform):
    chosen = drafted[:, None]
    p, q = target[:-1].gather(1, chosen)[:, 0], draft.gather(1, chosen)[:, 0]
    return int((uniform[:1] * q < p).int().cumprod(0).sum())
