"""Takes the log of a sigmoid that underflows."""

LOSES = {"simpo-loss-margin": 3}


def simpo_loss(chosen_average, rejected_average, *, beta=2.0, gamma=1.0):
    difference = chosen_average - rejected_average
    return -torch.log(torch.sigmoid(beta * difference - gamma))
