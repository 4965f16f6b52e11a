"""Learns from the rejected answer."""

LOSES = {"orpo-loss-values": 3}


def orpo_loss(chosen_average, rejected_average, *, weight=0.1):
    chosen, rejected = (a - torch.log(-torch.expm1(a)) for a in (chosen_average, rejected_average))
    return -rejected_average - weight * torch.nn.functional.logsigmoid(chosen - rejected)
