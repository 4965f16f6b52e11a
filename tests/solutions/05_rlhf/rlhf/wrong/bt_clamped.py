"""Keeps the sigmoid away from 0, and loses the gradient where it matters most."""

LOSES = {"bradley-terry-loss-stable": 2}


def bradley_terry_loss(chosen, rejected, *, margin=0.0):
    return -torch.log(torch.sigmoid(chosen - rejected - margin).clamp(min=1e-20))
