"""Subtracts the mean of the whole batch."""

LOSES = {"group-advantages-mean": 2, "group-advantages-deviation": 2}


def group_advantages(rewards, *, group_size, normalize_std=True):
    groups = rewards.view(-1, group_size)
    advantages = groups - rewards.mean()
    if normalize_std:
        advantages = advantages / (groups.std(1, keepdim=True) + 1e-4)
    return advantages.flatten()
