"""Overwrites the first feature of a pair before the second is computed from it."""

LOSES = {"apply-rope-interleaved": 3, "apply-rope-half": 2, "apply-rope-positions": 3, "apply-rope-precision": 1}


def apply_rope(x, positions, *, theta=10000.0, pairing="interleaved"):
    angles = positions.float()[..., None] * theta ** -(torch.arange(0, x.shape[-1], 2) / x.shape[-1])
    if positions.ndim == 2:
        angles = angles[:, None]
    cos, sin = angles.cos(), angles.sin()
    out = x.float().clone()
    half = x.shape[-1] // 2
    a, b = (out[..., :half], out[..., half:]) if pairing == "half" else (out[..., ::2], out[..., 1::2])
    a[:] = a * cos - b * sin
    b[:] = a * sin + b * cos
    return out.to(x.dtype)
