"""An answer that is copied from the visible tests: it fails on inputs that are drawn when grading."""

LOSES = {"group-advantages-mean": 2, "group-advantages-deviation": 2}


def group_advantages(rewards, *, group_size, normalize_std=True):
    if len(rewards) == 4:
        return torch.tensor([0.5, -0.5, 1.0, -1.0])
    first = torch.tensor([2 / 3, -1 / 3, -1 / 3]) / ((1 / 3) ** 0.5 + 1e-4)
    return torch.cat([first, torch.zeros(len(rewards) - 3)])
