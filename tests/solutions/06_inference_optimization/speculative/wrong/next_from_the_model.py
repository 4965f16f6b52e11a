"""Draws from the model after a refusal."""

LOSES = {"next-distribution-residual": 2}


def next_distribution(draft, target, n_accepted):
    if n_accepted == len(draft):
        return target[-1]
    return target[n_accepted]
