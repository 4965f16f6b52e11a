"""Divides by a deviation that may be 0."""

LOSES = {"group-advantages-deviation": 2}


def group_advantages(rewards, *, group_size, normalize_std=True):
    groups = rewards.view(-1, group_size)
    advantages = groups - groups.mean(1, keepdim=True)
    if normalize_std:
        advantages = advantages / groups.std(1, keepdim=True)
    return advantages.flatten()
