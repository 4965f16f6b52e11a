"""Gives each feature a frequency in place of each pair."""

LOSES = {"rope-frequencies-values": 2, "rope-frequencies-theta": 1}


def rope_frequencies(head_dim, *, theta=10000.0):
    return (1.0 / theta ** (torch.arange(0, head_dim, 2) / head_dim)).repeat_interleave(2)
