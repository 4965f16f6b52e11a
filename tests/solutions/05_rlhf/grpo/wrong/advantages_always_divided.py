"""Divides also where normalize_std is False."""

LOSES = {"group-advantages-mean": 2}


def group_advantages(rewards, *, group_size, normalize_std=True):
    groups = rewards.view(-1, group_size)
    advantages = groups - groups.mean(1, keepdim=True)
    if True:
        advantages = advantages / (groups.std(1, keepdim=True) + 1e-4)
    return advantages.flatten()
