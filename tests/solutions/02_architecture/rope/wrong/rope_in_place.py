"""Writes the result into x."""

LOSES = {"apply-rope-interleaved": 3, "apply-rope-half": 2, "apply-rope-positions": 3, "apply-rope-precision": 1}


def apply_rope(x, positions, *, theta=10000.0, pairing="interleaved"):
    angles = positions.float()[..., None] * theta ** -(torch.arange(0, x.shape[-1], 2) / x.shape[-1])
    if positions.ndim == 2:
        angles = angles[:, None]
    cos, sin = angles.cos(), angles.sin()
    half = x.shape[-1] // 2
    a, b = (x[..., :half], x[..., half:]) if pairing == "half" else (x[..., ::2], x[..., 1::2])
    first, second = a * cos - b * sin, a * sin + b * cos
    a.copy_(first)
    b.copy_(second)
    return x
