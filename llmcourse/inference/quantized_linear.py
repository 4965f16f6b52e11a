"""A linear layer that stores its weight quantized, and a model whose linear layers all do."""

from collections.abc import Callable, Collection
from dataclasses import KW_ONLY, dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from llmcourse.inference.int4 import dequantize_int4, quantize_int4, quantize_int4_zero_point
from llmcourse.inference.int8 import dequantize_int8, quantize_int8
from llmcourse.inference.nf4 import dequantize_absmax, dequantize_nf4, quantize_absmax, quantize_nf4

__all__ = ["WEIGHT_FORMATS", "QuantizedLinear", "WeightFormat", "module_bytes", "quantize_linear_layers"]


@dataclass(frozen=True)
class WeightFormat:
    r"""A way to store a weight.

    Attributes:
        parts: What its tensors are called; codes come first, one or two in a byte.
        codes_per_byte: How many.
        quantize: Makes the tensors from a weight (out, in) and the size of groups.
        dequantize: Makes the weight from the tensors.
    """

    _: KW_ONLY
    parts: tuple[str, ...]
    codes_per_byte: int
    quantize: Callable[[Tensor, int], tuple[Tensor, ...]]
    dequantize: Callable[..., Tensor]


def _quantize_nf4_double(weight: Tensor, block_size: int) -> tuple[Tensor, ...]:
    packed, absmax = quantize_nf4(weight, block_size=block_size)
    return packed, *quantize_absmax(absmax)


def _dequantize_nf4_double(packed: Tensor, codes: Tensor, scale: Tensor, mean: Tensor) -> Tensor:
    return dequantize_nf4(packed, dequantize_absmax(codes, scale, mean))


WEIGHT_FORMATS = {
    "int8": WeightFormat(
        parts=("codes", "scale"),
        codes_per_byte=1,
        quantize=lambda weight, _: quantize_int8(weight, dim=-1),  # a row is an output channel
        dequantize=dequantize_int8,
    ),
    "int4": WeightFormat(
        parts=("codes", "scale"),
        codes_per_byte=2,
        quantize=lambda weight, size: quantize_int4(weight, group_size=size),
        dequantize=dequantize_int4,
    ),
    "int4_zero_point": WeightFormat(
        parts=("codes", "scale", "zero_point"),
        codes_per_byte=2,
        quantize=lambda weight, size: quantize_int4_zero_point(weight, group_size=size),
        dequantize=dequantize_int4,
    ),
    "nf4": WeightFormat(
        parts=("codes", "absmax"),
        codes_per_byte=2,
        quantize=lambda weight, size: quantize_nf4(weight, block_size=size),
        dequantize=dequantize_nf4,
    ),
    "nf4_double": WeightFormat(
        parts=("codes", "absmax_codes", "absmax_scale", "absmax_mean"),
        codes_per_byte=2,
        quantize=_quantize_nf4_double,
        dequantize=_dequantize_nf4_double,
    ),
}


class QuantizedLinear(nn.Module):
    r"""x W^T + b, where W is stored as codes and scales, and made whole for the length of one product.

    What shrinks is the memory; to gain time as well, a kernel has to unpack inside the product. The weight takes no
    gradient. Gradients flow to the input, for which the backward pass makes the weight anew rather than keep it: so
    QLoRA (Dettmers et al. 2023, arXiv:2305.14314) trains adapters over a base of 4 bits, and
    :class:`llmcourse.architecture.LoRA` wraps this layer as it does any other.

    Args:
        parts: What the format's ``quantize`` returned, or :func:`llmcourse.inference.gptq` or
            :func:`llmcourse.inference.awq`.
        format: A key of :data:`WEIGHT_FORMATS`.
        bias: Added to each output; it stays as it is.
        input_scale: What the input is divided by, feature by feature, where the weight was multiplied by it (AWQ).

    Raises:
        ValueError: The format is unknown, or has another number of parts.

    Example:
        >>> layer = QuantizedLinear.of(nn.Linear(128, 64).bfloat16(), format="int4")
        >>> layer, layer.weight_bytes, 64 * 128 * 2
        (QuantizedLinear(in_features=128, out_features=64, bias=True, format=int4, bits=4.25), 4352, 16384)
        >>> layer(torch.ones(1, 128, dtype=torch.bfloat16)).shape
        torch.Size([1, 64])
    """

    input_scale: Tensor | None

    def __init__(
        self, parts: tuple[Tensor, ...], *, format: str, bias: Tensor | None = None, input_scale: Tensor | None = None
    ) -> None:
        super().__init__()
        kind = find_format(format)
        if len(parts) != len(kind.parts):
            raise ValueError(f"format {format!r} has the parts {', '.join(kind.parts)}, and {len(parts)} were given")
        self.format = format
        self.out_features, width = parts[0].shape
        self.in_features = width * kind.codes_per_byte
        for name, part in zip(kind.parts, parts, strict=True):
            self.register_buffer(name, part)
        self.register_buffer("input_scale", input_scale)
        self.bias = None if bias is None else nn.Parameter(bias.detach().clone(), requires_grad=False)

    @classmethod
    def of(cls, layer: nn.Linear, *, format: str = "nf4", group_size: int = 64) -> "QuantizedLinear":
        r"""Quantize a layer by rounding each weight to the nearest value.

        Args:
            layer: Left as it is.
            format: A key of :data:`WEIGHT_FORMATS`.
            group_size: Neighbouring weights of a row that share a scale; "int8" has one for each row instead.

        Returns:
            A layer that stands in its place; scales have the dtype of its weight.
        """
        parts = find_format(format).quantize(layer.weight.detach(), group_size)
        return cls(parts, format=format, bias=layer.bias)

    @property
    def weight_bytes(self) -> int:
        """Bytes that stand for the weight: codes, and all scales."""
        return sum(part.nbytes for part in self._parts())

    def dequantize(self) -> Float[Tensor, "out_features in_features"]:
        """Return the weight that is stored, in the dtype of its scales."""
        return find_format(self.format).dequantize(*self._parts())

    def forward(self, x: Float[Tensor, "*batch in_features"]) -> Float[Tensor, "*batch out_features"]:
        """Apply the layer, in the dtype of the input."""
        if self.input_scale is not None:
            x = x / self.input_scale.to(x.dtype)
        y: Tensor = _Product.apply(x, self)  # pyright: ignore[reportAssignmentType]
        return y if self.bias is None else y + self.bias.to(x.dtype)

    def _parts(self) -> tuple[Tensor, ...]:
        return tuple(self.get_buffer(name) for name in find_format(self.format).parts)

    def extra_repr(self) -> str:
        """Return what torch prints between the brackets."""
        bits = 8 * self.weight_bytes / (self.in_features * self.out_features)
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}, "
            f"format={self.format}, bits={bits:.4g}"
        )


class _Product(torch.autograd.Function):
    """x W^T, where the weight is made in each direction and kept in none."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: QuantizedLinear) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx.layer = layer
        return x @ layer.dequantize().to(x.dtype).T

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return grad @ ctx.layer.dequantize().to(grad.dtype), None


def find_format(format: str) -> WeightFormat:
    """Return a format by its name; refuse one that is unknown."""
    if format not in WEIGHT_FORMATS:
        raise ValueError(f"format is {format!r}: choose one of {', '.join(WEIGHT_FORMATS)}")
    return WEIGHT_FORMATS[format]


def quantize_linear_layers(
    model: nn.Module, *, format: str = "nf4", group_size: int = 64, skip: Collection[str] = ("output",)
) -> nn.Module:
    r"""Put a :class:`QuantizedLinear` in the place of each linear layer.

    Embeddings, norms and biases stay as they are. So does what ``skip`` names, by default the projection to logits: it
    is sensitive, often the embedding itself, and its weight is read by the loss that never holds all logits.

    Args:
        model: Changed in place.
        format: A key of :data:`WEIGHT_FORMATS`.
        group_size: Neighbouring weights of a row that share a scale.
        skip: Attribute names, at whatever depth.

    Returns:
        The same model.

    Raises:
        ValueError: There is no linear layer, or groups do not fit one; then nothing is changed.

    Example:
        >>> model = nn.ModuleDict({"up": nn.Linear(64, 128, bias=False), "output": nn.Linear(128, 8, bias=False)})
        >>> before = module_bytes(model)
        >>> _ = quantize_linear_layers(model, format="int8")
        >>> type(model["up"]).__name__, type(model["output"]).__name__, before, module_bytes(model)
        ('QuantizedLinear', 'Linear', 36864, 12800)
    """
    found = [
        (parent, name, child)
        for parent in model.modules()
        for name, child in parent.named_children()
        if isinstance(child, nn.Linear) and name not in skip
    ]
    if not found:
        raise ValueError(f"there is no linear layer but {sorted(skip)}: look at model.named_modules()")
    layers = [QuantizedLinear.of(child, format=format, group_size=group_size) for _, _, child in found]
    for (parent, name, _), layer in zip(found, layers, strict=True):
        setattr(parent, name, layer)
    return model


def module_bytes(module: nn.Module) -> int:
    r"""Return the bytes of all parameters and buffers, those that are shared once.

    Args:
        module: A layer or a model.

    Returns:
        Bytes.

    Example:
        >>> module_bytes(nn.Linear(10, 10)), module_bytes(nn.Linear(10, 10).bfloat16())
        (440, 220)
    """
    held = [*module.parameters(), *module.buffers()]
    return sum({tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in held}.values())
