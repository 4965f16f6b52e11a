"""Has the base of Llama 3 where none is given."""

LOSES = {"rope-frequencies-theta": 1}


def rope_frequencies(head_dim, *, theta=500000.0):
    return theta ** -(torch.arange(0, head_dim, 2) / head_dim)
