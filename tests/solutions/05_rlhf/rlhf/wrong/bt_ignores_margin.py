"""Ignores the margin."""

LOSES = {"bradley-terry-loss-margin": 1}


def bradley_terry_loss(chosen, rejected, *, margin=0.0):
    return -torch.nn.functional.logsigmoid(chosen - rejected)
