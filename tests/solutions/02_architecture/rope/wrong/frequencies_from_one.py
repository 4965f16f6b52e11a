"""Counts i from 1, as the paper does, without its i - 1."""

LOSES = {"rope-frequencies-values": 2, "rope-frequencies-theta": 1}


def rope_frequencies(head_dim, *, theta=10000.0):
    return 1.0 / theta ** (torch.arange(2, head_dim + 2, 2) / head_dim)
