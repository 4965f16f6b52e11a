"""Makes what people chose unlikely: the minus is missing."""

LOSES = {"bradley-terry-loss-values": 2, "bradley-terry-loss-stable": 2, "bradley-terry-loss-margin": 1}


def bradley_terry_loss(chosen, rejected, *, margin=0.0):
    return torch.nn.functional.logsigmoid(chosen - rejected - margin)
