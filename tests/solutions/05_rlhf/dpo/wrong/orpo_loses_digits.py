"""Computes 1 - exp(a), which loses its digits."""

LOSES = {"orpo-loss-sure": 1}


def orpo_loss(chosen_average, rejected_average, *, weight=0.1):
    chosen, rejected = (a - torch.log(1 - torch.exp(a)) for a in (chosen_average, rejected_average))
    return -chosen_average - weight * torch.nn.functional.logsigmoid(chosen - rejected)
