"""Has no bonus: looks for a refused place where all were kept."""

LOSES = {"next-distribution-bonus": 1}


def next_distribution(draft, target, n_accepted):
    return residual_distribution(target[n_accepted], draft[n_accepted])
