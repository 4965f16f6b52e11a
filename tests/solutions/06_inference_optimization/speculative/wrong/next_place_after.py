"""Takes the place after the refused one."""

LOSES = {"next-distribution-residual": 2}


def next_distribution(draft, target, n_accepted):
    if n_accepted == len(draft):
        return target[-1]
    return residual_distribution(
        target[min(n_accepted + 1, len(draft) - 1)], draft[min(n_accepted + 1, len(draft) - 1)]
    )
