"""Ignores theta and always takes 10000."""

LOSES = {"rope-frequencies-values": 2, "rope-frequencies-theta": 1}


def rope_frequencies(head_dim, *, theta=10000.0):
    return 10000.0 ** -(torch.arange(0, head_dim, 2) / head_dim)
