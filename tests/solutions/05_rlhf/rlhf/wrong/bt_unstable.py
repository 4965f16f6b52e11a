"""Takes the logarithm of a sigmoid that underflows."""

LOSES = {"bradley-terry-loss-stable": 2}


def bradley_terry_loss(chosen, rejected, *, margin=0.0):
    return -torch.log(torch.sigmoid(chosen - rejected - margin))
