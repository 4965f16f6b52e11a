"""The blocks of llama.cpp's files: Q8_0, Q4_0 and Q4_K, as bytes, and numbers from bytes."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from llmcourse.inference.int8 import check_finite

__all__ = ["GGUF_TYPES", "GGUFType", "dequantize_blocks", "quantize_blocks"]

Bytes = UInt8[Tensor, "n_blocks n_bytes"]
Blocks = Float[Tensor, "n_blocks block_size"]


@dataclass(frozen=True)
class GGUFType:
    r"""A way to store a tensor.

    Attributes:
        number: What stands for it in a file.
        block_size: Numbers that are stored together.
        block_bytes: Bytes that these take.
        quantize: From fp32 (n_blocks, block_size) to bytes (n_blocks, block_bytes).
        dequantize: And back.
    """

    _: KW_ONLY
    number: int
    block_size: int
    block_bytes: int
    quantize: Callable[[Tensor], Tensor]
    dequantize: Callable[[Tensor], Tensor]

    @property
    def bits(self) -> float:
        """Bits for each number, with its share of the scales."""
        return 8 * self.block_bytes / self.block_size


def quantize_blocks(x: Float[Tensor, "*rows n"], type: str) -> UInt8[Tensor, "*rows n_bytes"]:
    r"""Turn numbers into the bytes that stand for them in a GGUF file.

    The format is defined by ggml's code (ggml-quants.c). Q8_0: 32 numbers share a scale in fp16, the largest magnitude
    over 127. Q4_0: 32 share one, the number of largest magnitude, *with its sign*, over -8, so that this number has the
    code -8 and all 16 codes are used. Q4_K: each 32 of 256 numbers have a scale and an offset of 6 bits; these share
    two scales in fp16: 4.5 bits, as Q4_0, for 16 levels that are not tied to 0.

    Bytes of Q8_0 and Q4_0 equal those of llama.cpp and of its ``gguf`` package. Scales of Q4_K are searched for, as
    llama.cpp does; its result may differ in single codes.

    Args:
        x: Numbers.
        type: A key of :data:`GGUF_TYPES`.

    Returns:
        Bytes; a row is a whole number of blocks.

    Raises:
        ValueError: The type is unknown, rows are no whole blocks, or a number or scale is infinite or NaN.

    Example:
        >>> row = quantize_blocks(torch.linspace(-1, 1, 32), "Q8_0")
        >>> row.shape, row[2:5].view(torch.int8)
        (torch.Size([34]), tensor([-127, -119, -111], dtype=torch.int8))
    """
    kind = find_type(type)
    check_finite(x)
    if x.ndim == 0 or x.shape[-1] % kind.block_size:
        raise ValueError(f"x has shape {tuple(x.shape)}: in {type} a row is a multiple of {kind.block_size} numbers")
    blocks = kind.quantize(x.float().reshape(-1, kind.block_size))
    return blocks.reshape(*x.shape[:-1], -1)


def dequantize_blocks(data: UInt8[Tensor, "*rows n_bytes"], type: str) -> Float[Tensor, "*rows n"]:
    r"""Return the numbers that bytes of a GGUF file stand for.

    Args:
        data: Bytes of whole blocks.
        type: A key of :data:`GGUF_TYPES`.

    Returns:
        Numbers, in fp32.

    Raises:
        ValueError: The type is unknown, or rows are no whole blocks.

    Example:
        >>> dequantize_blocks(quantize_blocks(torch.linspace(-1, 1, 32), "Q4_0"), "Q4_0")[[0, 1, 16, 31]]
        tensor([-1.0000, -0.8750,  0.0000,  0.8750])
    """
    kind = find_type(type)
    if data.ndim == 0 or data.shape[-1] % kind.block_bytes:
        raise ValueError(f"data has shape {tuple(data.shape)}: a block of {type} has {kind.block_bytes} bytes")
    blocks = kind.dequantize(data.reshape(-1, kind.block_bytes))
    return blocks.reshape(*data.shape[:-1], -1)


def find_type(type: str) -> GGUFType:
    """Return a type by its name; refuse one that is unknown."""
    if type not in GGUF_TYPES:
        raise ValueError(f"type is {type!r}: choose one of {', '.join(GGUF_TYPES)}")
    return GGUF_TYPES[type]


def _as_bytes(x: Tensor) -> Bytes:
    return x.contiguous().view(torch.uint8)


def _as_half(scale: Tensor) -> Bytes:
    """Return scales as fp16 in bytes; they are the only numbers of a block that may be too large."""
    half = scale.half()
    if not half.isfinite().all():
        raise ValueError(f"a scale of {scale.abs().max():.3g} is more than fp16 holds: the numbers are too large")
    return _as_bytes(half)


def _from_half(data: Bytes) -> Float[Tensor, "n_blocks 1"]:
    return data.contiguous().view(torch.float16).float()


def _inverse(scale: Tensor) -> Tensor:
    return torch.where(scale == 0, 0.0, 1 / scale)


def _quantize_q8_0(blocks: Blocks) -> Bytes:
    scale = blocks.abs().amax(1, keepdim=True) / 127
    scaled = blocks * _inverse(scale)
    magnitude = scaled.abs()
    # C's roundf: halves go away from zero, and not to the even neighbour.
    codes = scaled.sign() * (magnitude.floor() + (2 * (magnitude - magnitude.floor())).floor())
    return torch.cat([_as_half(scale), _as_bytes(codes.to(torch.int8))], 1)


def _dequantize_q8_0(data: Bytes) -> Blocks:
    return _from_half(data[:, :2]) * data[:, 2:].contiguous().view(torch.int8).float()


def _quantize_q4_0(blocks: Blocks) -> Bytes:
    largest = blocks.gather(1, blocks.abs().argmax(1, keepdim=True))
    scale = largest / -8
    codes = (blocks * _inverse(scale) + 8.5).trunc().clamp(0, 15).to(torch.uint8)
    low, high = codes.chunk(2, dim=1)  # a byte holds numbers i and i + 16
    return torch.cat([_as_half(scale), low | (high << 4)], 1)


def _dequantize_q4_0(data: Bytes) -> Blocks:
    packed = data[:, 2:]
    return _from_half(data[:, :2]) * (torch.cat([packed & 15, packed >> 4], 1).float() - 8)


def _quantize_q4_k(blocks: Blocks) -> Bytes:
    parts = blocks.unflatten(1, (8, 32))
    wanted_scale, wanted_offset = _search_affine(parts)
    scale, offset = (wanted.amax(1, keepdim=True) / 63 for wanted in (wanted_scale, wanted_offset))
    halves = [_as_half(scale), _as_half(offset)]
    scale, offset = (_from_half(half) for half in halves)  # as they will be read
    scales = (wanted_scale * _inverse(scale)).round().clamp(0, 63).to(torch.uint8)
    offsets = (wanted_offset * _inverse(offset)).round().clamp(0, 63).to(torch.uint8)
    steps, shifts = scale * scales, offset * offsets
    codes = ((parts + shifts[..., None]) * _inverse(steps)[..., None]).round().clamp(0, 15).to(torch.uint8)
    pairs = codes.unflatten(1, (4, 2))  # 32 bytes hold one part in their low halves and the next in their high ones
    packed = pairs[:, :, 0] | (pairs[:, :, 1] << 4)
    return torch.cat([*halves, _pack_six_bits(scales, offsets), packed.flatten(1)], 1)


def _search_affine(parts: Float[Tensor, "n 8 32"]) -> tuple[Float[Tensor, "n 8"], Float[Tensor, "n 8"]]:
    """Return the scale and offset of each part that leave least of it: x = scale * code - offset.

    The range of a part, drawn a little closer or wider in steps, gives codes; to these belong the best scale and offset
    in the sense of least squares. Large numbers count more, as in llama.cpp (make_qkx2_quants).
    """
    weights = parts.abs() + parts.square().mean(2, keepdim=True).sqrt()
    low, high = parts.amin(2, keepdim=True).clamp(max=0), parts.amax(2, keepdim=True)
    width = (high - low).clamp(min=0)
    least, best_scale, best_offset = torch.full_like(low, torch.inf), width / 15, -low
    for levels in torch.linspace(14, 16, 21).tolist():
        codes = ((parts - low) * levels * _inverse(width)).round().clamp(0, 15)
        for scale, offset in ((width / levels, -low), _fit_affine(parts, codes, weights)):
            error = (weights * (scale * codes - offset - parts).square()).sum(2, keepdim=True)
            better = (error < least) & (offset >= 0) & (scale >= 0)
            least = torch.where(better, error, least)
            best_scale, best_offset = torch.where(better, scale, best_scale), torch.where(better, offset, best_offset)
    return best_scale[..., 0], best_offset[..., 0]


def _fit_affine(
    parts: Float[Tensor, "n 8 32"], codes: Float[Tensor, "n 8 32"], weights: Float[Tensor, "n 8 32"]
) -> tuple[Float[Tensor, "n 8 1"], Float[Tensor, "n 8 1"]]:
    """Return the weighted least-squares line of numbers over codes: its slope, and minus its height at code 0."""
    total = weights.sum(2, keepdim=True)
    mean_code, mean = ((weights * x).sum(2, keepdim=True) * _inverse(total) for x in (codes, parts))
    spread = codes - mean_code
    slope = (weights * spread * parts).sum(2, keepdim=True) * _inverse((weights * spread.square()).sum(2, keepdim=True))
    return slope, slope * mean_code - mean


def _dequantize_q4_k(data: Bytes) -> Blocks:
    scale, offset = _from_half(data[:, :2]), _from_half(data[:, 2:4])
    scales, offsets = _unpack_six_bits(data[:, 4:16])
    packed = data[:, 16:].unflatten(1, (4, 1, 32))
    codes = torch.cat([packed & 15, packed >> 4], 2).flatten(1, 2)
    return ((scale * scales)[..., None] * codes - (offset * offsets)[..., None]).flatten(1)


def _pack_six_bits(scales: UInt8[Tensor, "n 8"], offsets: UInt8[Tensor, "n 8"]) -> UInt8[Tensor, "n 12"]:
    """Put 16 numbers of 6 bits into 12 bytes: the last four of each kind give their upper bits to the first four."""
    last = (scales[:, 4:] & 15) | (offsets[:, 4:] << 4)
    first = [half[:, :4] | ((half[:, 4:] >> 4) << 6) for half in (scales, offsets)]
    return torch.cat([*first, last], 1)


def _unpack_six_bits(data: UInt8[Tensor, "n 12"]) -> tuple[UInt8[Tensor, "n 8"], UInt8[Tensor, "n 8"]]:
    first_scales, first_offsets, last = data.split(4, dim=1)
    scales = torch.cat([first_scales & 63, (last & 15) | ((first_scales >> 6) << 4)], 1)
    offsets = torch.cat([first_offsets & 63, (last >> 4) | ((first_offsets >> 6) << 4)], 1)
    return scales, offsets


GGUF_TYPES = {
    "F32": GGUFType(
        number=0,
        block_size=1,
        block_bytes=4,
        quantize=_as_bytes,
        dequantize=lambda data: data.contiguous().view(torch.float32),
    ),
    "F16": GGUFType(number=1, block_size=1, block_bytes=2, quantize=_as_half, dequantize=_from_half),
    "Q4_0": GGUFType(number=2, block_size=32, block_bytes=18, quantize=_quantize_q4_0, dequantize=_dequantize_q4_0),
    "Q8_0": GGUFType(number=8, block_size=32, block_bytes=34, quantize=_quantize_q8_0, dequantize=_dequantize_q8_0),
    "Q4_K": GGUFType(number=12, block_size=256, block_bytes=144, quantize=_quantize_q4_k, dequantize=_dequantize_q4_k),
}
