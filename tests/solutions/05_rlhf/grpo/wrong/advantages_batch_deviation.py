"""Divides by the deviation of the whole batch."""

LOSES = {"group-advantages-deviation": 2}


def group_advantages(rewards, *, group_size, normalize_std=True):
    groups = rewards.view(-1, group_size)
    advantages = groups - groups.mean(1, keepdim=True)
    if normalize_std:
        advantages = advantages / (rewards.std() + 1e-4)
    return advantages.flatten()
