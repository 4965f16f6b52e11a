"""Takes every n-th answer for a group."""

LOSES = {"group-advantages-mean": 2, "group-advantages-deviation": 2}


def group_advantages(rewards, *, group_size, normalize_std=True):
    groups = rewards.view(group_size, -1)
    advantages = groups - groups.mean(0)
    if normalize_std:
        advantages = advantages / (groups.std(0) + 1e-4)
    return advantages.flatten()
