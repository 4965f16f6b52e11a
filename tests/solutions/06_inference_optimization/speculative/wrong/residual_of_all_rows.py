"""Divides by the sum of all rows."""

LOSES = {"residual-distribution-rows": 1, "residual-distribution-same": 1}


def residual_distribution(target, draft):
    rest = (target - draft).clamp(min=0)
    total = rest.sum()
    return torch.where(total > 0, rest / total, target)
