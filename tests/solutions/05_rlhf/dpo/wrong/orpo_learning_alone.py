"""Leaves out the odds."""

LOSES = {"orpo-loss-values": 3, "orpo-loss-sure": 1}


def orpo_loss(chosen_average, rejected_average, *, weight=0.1):
    return -chosen_average
