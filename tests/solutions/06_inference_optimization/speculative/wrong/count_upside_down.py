"""Keeps with q / p."""

LOSES = {"count-accepted-ratio": 2, "count-accepted-first": 2, "count-accepted-edges": 1}


def count_accepted(drafted, draft, target, uniform):
    chosen = drafted[:, None]
    p, q = target[:-1].gather(1, chosen)[:, 0], draft.gather(1, chosen)[:, 0]
    return int((uniform * p < q).int().cumprod(0).sum())
