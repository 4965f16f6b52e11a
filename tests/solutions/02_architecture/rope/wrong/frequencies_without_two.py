"""Takes -i / d for the exponent: the 2 is missing."""

LOSES = {"rope-frequencies-values": 2, "rope-frequencies-theta": 1}


def rope_frequencies(head_dim, *, theta=10000.0):
    return 1.0 / theta ** (torch.arange(head_dim // 2) / head_dim)
