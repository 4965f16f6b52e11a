"""Does not subtract 8."""

LOSES = {"dequantize-int4-values": 2, "dequantize-int4-groups": 1}


def dequantize_int4(packed, scale):
    codes = torch.stack([packed & 15, packed >> 4], -1).flatten(-2).float()
    return (codes.unflatten(-1, (scale.shape[-1], -1)) * scale[..., None]).flatten(-2)
