"""Divides whole numbers by //, so that every exponent is 0."""

LOSES = {"rope-frequencies-values": 2, "rope-frequencies-theta": 1}


def rope_frequencies(head_dim, *, theta=10000.0):
    return theta ** -(torch.arange(0, head_dim, 2) // head_dim).float()
