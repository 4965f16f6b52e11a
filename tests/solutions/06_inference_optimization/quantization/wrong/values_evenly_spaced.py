"""Spaces values evenly, not their probabilities."""

LOSES = {"normal-float-values-quantiles": 1, "quantize-nf4-codes": 3}


def normal_float_values(bits=4):
    half = 2 ** (bits - 1)
    return torch.cat([torch.linspace(-1, 0, half)[:-1], torch.linspace(0, 1, half + 1)])
