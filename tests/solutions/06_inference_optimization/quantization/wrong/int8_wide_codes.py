"""Leaves codes in floating point, so that nothing is saved."""

LOSES = {"quantize-int8-absmax": 2}


def quantize_int8(x, *, dim=None):
    largest = x.abs().amax() if dim is None else x.abs().amax(dim, keepdim=True)
    scale = torch.where(largest == 0, torch.ones_like(largest), largest / 127)
    return (x / scale).round(), scale
