"""Takes the mean margin for all pairs."""

LOSES = {"bradley-terry-loss-margin": 1}


def bradley_terry_loss(chosen, rejected, *, margin=0.0):
    margin = margin.mean() if isinstance(margin, torch.Tensor) else margin
    return -torch.nn.functional.logsigmoid(chosen - rejected - margin)
