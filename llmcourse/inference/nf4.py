"""NF4: 16 values placed where normally distributed weights are, not at equal distances."""

import functools

import torch
from jaxtyping import Float, Int8, UInt8
from torch import Tensor

from llmcourse.inference.int4 import pack_int4, split_groups, unpack_int4
from llmcourse.inference.int8 import dequantize_int8, positive, quantize_int8

__all__ = ["dequantize_absmax", "dequantize_nf4", "normal_float_values", "quantize_absmax", "quantize_nf4"]


def normal_float_values(bits: int = 4) -> Float[Tensor, "n"]:
    r"""Return the 2^bits values of NormalFloat: quantiles of the normal distribution, scaled to [-1, 1].

    Dettmers et al. 2023 (QLoRA, arXiv:2305.14314). From p to 1/2 there are n / 2 equal steps of probability for the
    positive values, n / 2 - 1 for the negative ones, and 0 stands between them: with n = 16 these are 8, 7 and 1. A
    symmetric table would have 15 values, or none for 0, which padding and pruned weights need. 1 - p is the mean of
    1 / 2n and 1 / 2(n - 1). The 16 values equal those of bitsandbytes' ``create_normal_map`` in fp32.

    Args:
        bits: Of each code, from 2.

    Returns:
        Ascending values, in fp32 on the CPU.

    Raises:
        ValueError: ``bits`` is not from 2 to 8.

    Example:
        >>> normal_float_values(2), normal_float_values()[6:9]
        (tensor([-1.0000,  0.0000,  0.4358,  1.0000]), tensor([-0.0911,  0.0000,  0.0796]))
    """
    if not 2 <= bits <= 8:
        raise ValueError(f"bits is {bits}: give 2 to 8")
    n = 2**bits
    outermost = round(1 - (1 / (2 * n) + 1 / (2 * (n - 1))) / 2, 7)  # to the digits that bitsandbytes has
    positive_half = torch.special.ndtri(torch.linspace(outermost, 0.5, n // 2 + 1).double())[:-1]
    negative_half = -torch.special.ndtri(torch.linspace(outermost, 0.5, n // 2).double())[:-1]
    values = torch.cat([negative_half, torch.zeros(1, dtype=torch.float64), positive_half]).float()
    return (values / values.max()).sort().values


@functools.cache
def _values_on(device: torch.device) -> Float[Tensor, "16"]:
    """Return the 16 values, which are made once for each device."""
    return normal_float_values().to(device)


def quantize_nf4(
    x: Float[Tensor, "*rows n"], *, block_size: int = 64
) -> tuple[UInt8[Tensor, "*rows n//2"], Float[Tensor, "*rows n_blocks"]]:
    r"""Divide each block by its largest magnitude, and take the nearest of the 16 values.

    The values are dense near 0, where most weights of a block are. That pays in large blocks, whose extremes lie far
    out: for normal weights in blocks of 128 both the mean and the mean squared error are below those of an affine grid
    of 16 levels, in blocks of 64 the mean error alone, and in blocks of 32 the affine grid has the smaller square.

    Args:
        x: Numbers, in fp32, fp16 or bf16; a weight is (out, in).
        block_size: Neighbours in the last dimension that share a scale: even, and a divisor of that dimension.

    Returns:
        Codes, which are places among :func:`normal_float_values`, packed by :func:`llmcourse.inference.pack_int4`; and
        the largest magnitude of each block, in the dtype of ``x``.

    Raises:
        ValueError: Blocks do not fit, or a number is infinite or NaN.

    Cost: 4 + 32 / block_size bits for each number where magnitudes have 32, which is 4.5 in blocks of 64; 4.127 after
    :func:`quantize_absmax`.

    Example:
        >>> packed, absmax = quantize_nf4(torch.tensor([2.0, 0.0, -2.0, 0.2]), block_size=4)
        >>> unpack_int4(packed), absmax
        (tensor([15,  7,  0,  8], dtype=torch.uint8), tensor([2.]))
    """
    blocks = split_groups(x, block_size)
    absmax = blocks.abs().amax(-1)
    values = _values_on(x.device)
    halfway = (values[1:] + values[:-1]) / 2
    codes = torch.bucketize(blocks.float() / positive(absmax.float())[..., None], halfway)
    return pack_int4(codes.flatten(-2).to(torch.uint8)), absmax


def dequantize_nf4(
    packed: UInt8[Tensor, "*rows n_bytes"], absmax: Float[Tensor, "*rows n_blocks"]
) -> Float[Tensor, "*rows 2*n_bytes"]:
    r"""Look up what codes stand for, and multiply by the magnitude of their block.

    Args:
        packed: As it came from :func:`quantize_nf4`.
        absmax: Likewise; their number says how large a block is.

    Returns:
        Numbers, in the dtype of ``absmax``.

    Example:
        >>> dequantize_nf4(*quantize_nf4(torch.tensor([2.0, 0.0, -2.0, 0.2]), block_size=4))
        tensor([ 2.0000,  0.0000, -2.0000,  0.1592])
    """
    codes = unpack_int4(packed).unflatten(-1, (absmax.shape[-1], -1))
    values = _values_on(packed.device)[codes.int()]
    return (values * absmax[..., None].float()).to(absmax.dtype).flatten(-2)


def quantize_absmax(
    absmax: Float[Tensor, "*blocks"], *, block_size: int = 256
) -> tuple[Int8[Tensor, "*blocks"], Float[Tensor, "n_chunks"], Float[Tensor, ""]]:
    r"""Quantize the magnitudes of NF4's blocks in their turn, to 8 bits (double quantization, arXiv:2305.14314).

    They are all positive, and much alike, so that their mean is taken off first. The paper then has 8-bit floats,
    bitsandbytes a dynamic map; here it is absmax INT8, of the same size.

    Args:
        absmax: Of :func:`quantize_nf4`.
        block_size: Magnitudes that share a scale; the last ones may be fewer.

    Returns:
        Codes of 8 bits in the shape of ``absmax``, a scale for each chunk, and the mean: both in its dtype.

    Raises:
        ValueError: ``block_size`` is below 1, or a magnitude is infinite or NaN.

    Cost: 8 / 64 + 32 / (64 * 256) = 0.127 bits for each weight, in place of 32 / 64 = 0.5.

    Example:
        >>> codes, scale, mean = quantize_absmax(torch.tensor([1.0, 2.0, 3.0]))
        >>> codes, mean, dequantize_absmax(codes, scale, mean)
        (tensor([-127,    0,  127], dtype=torch.int8), tensor(2.), tensor([1., 2., 3.]))
    """
    if block_size < 1:
        raise ValueError(f"block_size is {block_size}: give 1 or more")
    mean = absmax.float().mean().to(absmax.dtype)
    centred = (absmax - mean).flatten()
    padded = torch.nn.functional.pad(centred, (0, -centred.numel() % block_size))
    codes, scale = quantize_int8(padded.unflatten(0, (-1, block_size)), dim=-1)
    codes = codes.flatten()[: centred.numel()].clone()  # a view would keep the padding's memory
    return codes.view(absmax.shape), scale.flatten(), mean


def dequantize_absmax(
    codes: Int8[Tensor, "*blocks"],
    scale: Float[Tensor, "n_chunks"],
    mean: Float[Tensor, ""],
    *,
    block_size: int = 256,
) -> Float[Tensor, "*blocks"]:
    r"""Return the magnitudes that :func:`quantize_absmax` was given, but for its rounding.

    Args:
        codes: As they came from it.
        scale: Likewise.
        mean: Likewise.
        block_size: The same as there.

    Returns:
        Magnitudes, none below 0, in the dtype of ``scale``.
    """
    of_each = scale.repeat_interleave(block_size)[: codes.numel()].view(codes.shape)
    return (dequantize_int8(codes, of_each) + mean).clamp(min=0)
