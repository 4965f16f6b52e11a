"""Takes the draft's less the model's."""

LOSES = {"residual-distribution-values": 2, "residual-distribution-rows": 1, "next-distribution-residual": 2}


def residual_distribution(target, draft):
    rest = (draft - target).clamp(min=0)
    total = rest.sum(-1, keepdim=True)
    return torch.where(total > 0, rest / total, target)
