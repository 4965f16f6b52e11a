"""Has chosen and rejected in each other's place."""

LOSES = {"bradley-terry-loss-values": 2, "bradley-terry-loss-stable": 2, "bradley-terry-loss-margin": 1}


def bradley_terry_loss(chosen, rejected, *, margin=0.0):
    return -torch.nn.functional.logsigmoid(rejected - chosen - margin)
