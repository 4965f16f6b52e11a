"""Takes the last drafted place for the bonus."""

LOSES = {"next-distribution-bonus": 1}


def next_distribution(draft, target, n_accepted):
    if n_accepted == len(draft):
        return target[-2] if len(target) > 1 else target[-1]
    return residual_distribution(target[n_accepted], draft[n_accepted])
