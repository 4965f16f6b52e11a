"""Takes the place before the refused one."""

LOSES = {"next-distribution-residual": 2}


def next_distribution(draft, target, n_accepted):
    if n_accepted == len(draft):
        return target[-1]
    return residual_distribution(target[max(n_accepted - 1, 0)], draft[max(n_accepted - 1, 0)])
