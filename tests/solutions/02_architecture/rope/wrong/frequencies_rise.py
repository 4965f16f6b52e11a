"""Forgets the minus of the exponent, so that later pairs turn faster."""

LOSES = {"rope-frequencies-values": 2, "rope-frequencies-theta": 1}


def rope_frequencies(head_dim, *, theta=10000.0):
    return theta ** (torch.arange(0, head_dim, 2) / head_dim)
