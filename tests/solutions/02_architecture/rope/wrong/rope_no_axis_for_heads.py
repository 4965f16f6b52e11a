"""Gives positions of shape (B, T) no axis for the heads."""

LOSES = {"apply-rope-positions": 3}


def apply_rope(x, positions, *, theta=10000.0, pairing="interleaved"):
    frequencies = theta ** -(torch.arange(0, x.shape[-1], 2) / x.shape[-1])
    angles = positions.float()[..., None] * frequencies
    cos, sin = angles.cos(), angles.sin()
    if pairing == "half":
        a, b = x.chunk(2, dim=-1)
        turned = torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)
    else:
        a, b = x[..., ::2], x[..., 1::2]
        turned = torch.stack([a * cos - b * sin, a * sin + b * cos], dim=-1).flatten(-2)
    return turned.to(x.dtype)
