"""INT4: 16 integers, a scale for each small group of neighbours, and two codes in one byte."""

import torch
from jaxtyping import Float, Shaped, UInt8
from torch import Tensor

from llmcourse.inference.int8 import check_finite, positive, to_grid

__all__ = ["dequantize_int4", "pack_int4", "quantize_int4", "quantize_int4_zero_point", "unpack_int4"]

_ZERO = 8  # the code of 0 where the grid is symmetric: nibbles have no sign


def quantize_int4(
    x: Float[Tensor, "*rows n"], *, group_size: int = 64
) -> tuple[UInt8[Tensor, "*rows n//2"], Float[Tensor, "*rows n_groups"]]:
    r"""Round numbers to 15 multiples of the scale of their group, which is the largest magnitude over 7 (absmax).

    With so few levels one scale for a whole row is too coarse: a single large weight would leave the others 2 or 3
    levels. Groups of 32 to 128 along the input dimension are usual (GPTQ, arXiv:2210.17323; AWQ, arXiv:2306.00978).

    Args:
        x: Numbers, in fp32, fp16 or bf16; a weight is (out, in).
        group_size: Neighbours in the last dimension that share a scale: even, and a divisor of that dimension.

    Returns:
        Codes from -7 to 7, to which 8 is added, packed by :func:`pack_int4`; and scales in the dtype of ``x``.

    Raises:
        ValueError: Groups do not fit, or a number is infinite or NaN.

    Cost: 4 + 16 / group_size bits for each number where scales have 16: 4.25 in groups of 64.

    Example:
        >>> packed, scale = quantize_int4(torch.tensor([0.7, -0.7, 0.1, 0.0]), group_size=4)
        >>> [f"{byte:08b}" for byte in packed], scale
        (['00011111', '10001001'], tensor([0.1000]))
    """
    groups = split_groups(x, group_size)
    scale = positive((groups.abs().amax(-1).float() / 7).to(x.dtype))
    codes = to_grid(groups, scale[..., None], -7, 7) + _ZERO
    return pack_int4(codes.flatten(-2).to(torch.uint8)), scale


def quantize_int4_zero_point(
    x: Float[Tensor, "*rows n"], *, group_size: int = 64
) -> tuple[UInt8[Tensor, "*rows n//2"], Float[Tensor, "*rows n_groups"], UInt8[Tensor, "*rows n_groups"]]:
    r"""Spread all 16 codes from the least number of a group to the largest, and note which code is 0.

    Few numbers are rarely centred, so that this is what most 4-bit formats do. The range is widened to hold 0.

    Args:
        x: As for :func:`quantize_int4`.
        group_size: Likewise.

    Returns:
        Codes from 0 to 15, packed; scales in the dtype of ``x``; and zero-points from 0 to 15, a byte each, which a
        file would pack, too.

    Raises:
        ValueError: Groups do not fit, or a number is infinite or NaN.

    Example:
        >>> packed, scale, zero_point = quantize_int4_zero_point(torch.tensor([0.0, 0.1, 0.2, 1.5]), group_size=4)
        >>> unpack_int4(packed), scale, zero_point
        (tensor([ 0,  1,  2, 15], dtype=torch.uint8), tensor([0.1000]), tensor([0], dtype=torch.uint8))
    """
    groups = split_groups(x, group_size)
    scale, zero_point = affine_range(groups)
    codes = to_grid(groups, scale[..., None], 0, 15, zero_point[..., None])
    return pack_int4(codes.flatten(-2).to(torch.uint8)), scale, zero_point.to(torch.uint8)


def dequantize_int4(
    packed: UInt8[Tensor, "*rows n_bytes"],
    scale: Float[Tensor, "*rows n_groups"],
    zero_point: UInt8[Tensor, "*rows n_groups"] | None = None,
) -> Float[Tensor, "*rows 2*n_bytes"]:
    r"""Return the numbers that codes stand for: (q - z) scale.

    Args:
        packed: Of either way to quantize.
        scale: As they came with it; their number says how large a group is.
        zero_point: Likewise; None for :func:`quantize_int4`, where it is 8.

    Returns:
        Numbers, in the dtype of ``scale``.

    Example:
        >>> dequantize_int4(torch.tensor([0b0001_1111, 0b1000_1001], dtype=torch.uint8), torch.tensor([0.1]))
        tensor([ 0.7000, -0.7000,  0.1000,  0.0000])
    """
    groups = unpack_int4(packed).unflatten(-1, (scale.shape[-1], -1)).float()
    shifted = groups - (_ZERO if zero_point is None else zero_point[..., None].float())
    return (shifted * scale[..., None].float()).to(scale.dtype).flatten(-2)


def pack_int4(codes: UInt8[Tensor, "*rows n"]) -> UInt8[Tensor, "*rows n//2"]:
    r"""Put two codes of 4 bits into each byte, the first into the low half.

    Libraries differ: bitsandbytes puts the first into the high half, GGUF pairs a code with the one half a block later.

    Args:
        codes: From 0 to 15; an even number in the last dimension.

    Returns:
        Bytes: code 2i + 16 times code 2i + 1.

    Raises:
        ValueError: A code is above 15, or their number is odd.

    Example:
        >>> [f"{byte:#04x}" for byte in pack_int4(torch.tensor([0x1, 0x2, 0xA, 0xF], dtype=torch.uint8))]
        ['0x21', '0xfa']
    """
    if codes.shape[-1] % 2 or (codes > 15).any():
        raise ValueError(
            f"codes have shape {tuple(codes.shape)} and reach {int(codes.max())}: give an even number, from 0 to 15"
        )
    return codes[..., ::2] | (codes[..., 1::2] << 4)


def unpack_int4(packed: UInt8[Tensor, "*rows n_bytes"]) -> UInt8[Tensor, "*rows 2*n_bytes"]:
    r"""Take the two codes out of each byte, in the order in which :func:`pack_int4` had them.

    Args:
        packed: Bytes.

    Returns:
        Codes from 0 to 15.

    Example:
        >>> unpack_int4(torch.tensor([0x21, 0xFA], dtype=torch.uint8)).tolist()
        [1, 2, 10, 15]
    """
    return torch.stack([packed & 15, packed >> 4], dim=-1).flatten(-2)


def split_groups(x: Shaped[Tensor, "*rows n"], group_size: int) -> Shaped[Tensor, "*rows n_groups group_size"]:
    """Cut the last dimension into groups; refuse what does not fit, and numbers that have no scale."""
    check_finite(x)
    width = x.shape[-1] if x.ndim else 0
    if group_size < 2 or group_size % 2 or width % group_size:
        fitting = [size for size in range(2, min(width, max(group_size, 2)) + 1, 2) if width % size == 0]
        raise ValueError(
            f"group_size is {group_size} and x has shape {tuple(x.shape)}: give an even divisor of {width}"
            + (f", such as {fitting[-1]}" if fitting else ", which has none")
        )
    return x.unflatten(-1, (-1, group_size))


def affine_range(groups: Float[Tensor, "*groups size"]) -> tuple[Float[Tensor, "*groups"], Float[Tensor, "*groups"]]:
    """Return the scale of each group, in the dtype of the numbers, and the code of 0, from 0 to 15, in fp32."""
    low, high = groups.amin(-1).clamp(max=0).float(), groups.amax(-1).clamp(min=0).float()
    scale = positive(((high - low) / 15).to(groups.dtype))
    return scale, (-low / scale.float()).round().clamp(0, 15)
