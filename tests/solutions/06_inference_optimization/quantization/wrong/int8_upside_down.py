"""Returns what numbers were multiplied by, not what codes are to be multiplied by."""

LOSES = {"quantize-int8-absmax": 2, "quantize-int8-rounding": 1, "quantize-int8-dim": 2}


def quantize_int8(x, *, dim=None):
    largest = x.abs().amax() if dim is None else x.abs().amax(dim, keepdim=True)
    scale = torch.where(largest == 0, torch.ones_like(largest), 127 / largest)
    return (x * scale).round().to(torch.int8), scale
