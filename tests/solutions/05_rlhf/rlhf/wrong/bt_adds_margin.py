"""Adds the margin to the difference, so that it asks for less."""

LOSES = {"bradley-terry-loss-margin": 1}


def bradley_terry_loss(chosen, rejected, *, margin=0.0):
    return -torch.nn.functional.logsigmoid(chosen - rejected + margin)
