"""Swaps p and q."""

LOSES = {"next-distribution-residual": 2}


def next_distribution(draft, target, n_accepted):
    if n_accepted == len(draft):
        return target[-1]
    return residual_distribution(draft[n_accepted], target[n_accepted])
