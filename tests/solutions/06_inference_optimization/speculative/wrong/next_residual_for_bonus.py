"""Draws from the last residual where all were kept."""

LOSES = {"next-distribution-bonus": 1}


def next_distribution(draft, target, n_accepted):
    n_accepted = min(n_accepted, len(draft) - 1)
    return residual_distribution(target[n_accepted], draft[n_accepted])
