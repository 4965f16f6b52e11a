"""Has chosen and rejected in each other's place."""

LOSES = {"simpo-loss-margin": 3}


def simpo_loss(chosen_average, rejected_average, *, beta=2.0, gamma=1.0):
    difference = chosen_average - rejected_average
    return -torch.nn.functional.logsigmoid(-beta * difference - gamma)
