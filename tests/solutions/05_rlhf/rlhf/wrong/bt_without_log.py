"""Takes minus the probability, without its logarithm."""

LOSES = {"bradley-terry-loss-values": 2, "bradley-terry-loss-stable": 2, "bradley-terry-loss-margin": 1}


def bradley_terry_loss(chosen, rejected, *, margin=0.0):
    return -torch.sigmoid(chosen - rejected - margin)
