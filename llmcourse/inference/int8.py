"""INT8: each number becomes one of 256 integers and a scale that it shares with others."""

import torch
from jaxtyping import Float, Int8
from torch import Tensor

__all__ = ["dequantize_int8", "quantize_int8", "quantize_int8_zero_point"]


def quantize_int8(
    x: Float[Tensor, "*shape"], *, dim: int | None = None
) -> tuple[Int8[Tensor, "*shape"], Float[Tensor, "*scales"]]:
    r"""Round numbers to multiples of a scale, which is the largest magnitude over 127 (absmax).

    q = round(127 x / max |x|), as Dettmers et al. 2022 write it (LLM.int8, arXiv:2208.07339). It is symmetric: 0 stays
    exactly 0, and -128 is not used. Halves go to the even neighbour, which is torch's rounding and biases no sum.

    Args:
        x: Numbers, in fp32, fp16 or bf16.
        dim: The dimension over which numbers share a scale: -1 gives each row of a weight (out, in), that is each
            output channel, its own. None: all of ``x`` shares one.

    Returns:
        Codes from -127 to 127, and scales in the dtype of ``x``: one with no dimension, or one for each slice, with
        ``dim`` kept as 1. An all-zero slice has scale 1.

    Raises:
        ValueError: ``x`` is empty, holds no floating-point numbers, or one that is infinite or NaN.

    Example:
        >>> codes, scale = quantize_int8(torch.tensor([0.5, -2.0, 1.27]))
        >>> codes, round(scale.item(), 6)
        (tensor([  32, -127,   81], dtype=torch.int8), 0.015748)
    """
    check_finite(x)
    largest = x.abs().amax() if dim is None else x.abs().amax(dim, keepdim=True)
    scale = positive((largest.float() / 127).to(x.dtype))
    return to_grid(x, scale, -127, 127).to(torch.int8), scale


def quantize_int8_zero_point(
    x: Float[Tensor, "*shape"], *, dim: int | None = None
) -> tuple[Int8[Tensor, "*shape"], Float[Tensor, "*scales"], Int8[Tensor, "*scales"]]:
    r"""Spread all 256 codes from the least number to the largest, and note which code is 0 (zero-point, affine).

    Numbers that are not centred, as after an activation function, then waste no codes: all-positive ones get a step
    half as wide as with :func:`quantize_int8`. The range is widened to hold 0, so that 0 stays exact: padding and
    zeros of an activation cost nothing (Jacob et al. 2017, arXiv:1712.05877).

    Args:
        x: Numbers, in fp32, fp16 or bf16.
        dim: The dimension over which numbers share a scale, as for :func:`quantize_int8`.

    Returns:
        Codes from -128 to 127, scales in the dtype of ``x``, and zero-points: what code stands for 0.

    Raises:
        ValueError: ``x`` is empty, holds no floating-point numbers, or one that is infinite or NaN.

    Example:
        >>> quantize_int8_zero_point(torch.tensor([0.0, 1.0, 2.55]))
        (tensor([-128,  -28,  127], dtype=torch.int8), tensor(0.0100), tensor(-128, dtype=torch.int8))
    """
    check_finite(x)
    low = (x.amin() if dim is None else x.amin(dim, keepdim=True)).clamp(max=0).float()
    high = (x.amax() if dim is None else x.amax(dim, keepdim=True)).clamp(min=0).float()
    scale = positive(((high - low) / 255).to(x.dtype))
    zero_point = (-128 - low / scale.float()).round().clamp(-128, 127)
    codes = to_grid(x, scale, -128, 127, zero_point)
    return codes.to(torch.int8), scale, zero_point.to(torch.int8)


def dequantize_int8(
    codes: Int8[Tensor, "*shape"],
    scale: Float[Tensor, "*scales"],
    zero_point: Int8[Tensor, "*scales"] | None = None,
) -> Float[Tensor, "*shape"]:
    r"""Return the numbers that codes stand for: (q - z) scale.

    Each is within half a scale of the number that was quantized, but for the rounding of ``scale`` to its dtype.

    Args:
        codes: Of either way to quantize.
        scale: As they came with it.
        zero_point: Likewise; None for :func:`quantize_int8`, where it is 0.

    Returns:
        Numbers, in the dtype of ``scale``.

    Example:
        >>> dequantize_int8(torch.tensor([-127, 0, 64], dtype=torch.int8), torch.tensor(0.01))
        tensor([-1.2700,  0.0000,  0.6400])
    """
    shifted = codes.float() if zero_point is None else codes.float() - zero_point.float()
    return (shifted * scale.float()).to(scale.dtype)


def to_grid(x: Tensor, scale: Tensor, lowest: int, highest: int, zero_point: Tensor | None = None) -> Tensor:
    """Return round(x / scale) + zero_point in fp32, held between two codes; a scale in bf16 may be a little short."""
    codes = (x.float() / scale.float()).round()
    return (codes if zero_point is None else codes + zero_point).clamp(lowest, highest)


def positive(scale: Tensor) -> Tensor:
    """Return a scale with 1 in place of 0, where all codes are 0 anyhow."""
    return torch.where(scale == 0, torch.ones_like(scale), scale)


def check_finite(x: Tensor) -> None:
    """Refuse what has no scale."""
    if not x.is_floating_point() or x.numel() == 0:
        raise ValueError(f"x has shape {tuple(x.shape)} and dtype {x.dtype}: give floating-point numbers, at least one")
    if not x.isfinite().all():
        raise ValueError(f"x holds {int((~x.isfinite()).sum())} numbers that are infinite or NaN: no scale fits them")
