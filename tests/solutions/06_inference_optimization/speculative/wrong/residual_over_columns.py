"""Adds up columns."""

LOSES = {"residual-distribution-rows": 1, "residual-distribution-same": 1}


def residual_distribution(target, draft):
    rest = (target - draft).clamp(min=0)
    total = rest.sum(0 if rest.ndim > 1 else -1, keepdim=True)
    return torch.where(total > 0, rest / total, target)
