"""Spreads the range from the least to the largest number."""

LOSES = {"quantize-int8-absmax": 2, "quantize-int8-rounding": 1, "quantize-int8-dim": 2, "quantize-int8-zeros": 1}


def quantize_int8(x, *, dim=None):
    low = x.amin() if dim is None else x.amin(dim, keepdim=True)
    high = x.amax() if dim is None else x.amax(dim, keepdim=True)
    scale = torch.where(high == low, torch.ones_like(high), (high - low) / 255)
    return ((x - low) / scale - 128).round().to(torch.int8), scale
