"""The feed-forward layer: SwiGLU, the GELU layer before it, and a registry for others."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from llmcourse.architecture.config import ModelConfig

__all__ = ["FEED_FORWARDS", "GeluMLP", "SwiGLU", "make_feed_forward", "register_feed_forward", "swiglu"]

FEED_FORWARDS: dict[str, Callable[[ModelConfig], nn.Module]] = {}


def register_feed_forward(name: str) -> Callable[[type[nn.Module]], type[nn.Module]]:
    r"""Return a decorator that enters a layer, made from a ModelConfig alone, under a name.

    Args:
        name: What ``feed_forward`` says in a configuration.

    Returns:
        A decorator, which returns its class as it is.

    Example:
        >>> sorted({"gelu", "swiglu"} & set(FEED_FORWARDS))
        ['gelu', 'swiglu']
    """

    def enter(layer: type[nn.Module]) -> type[nn.Module]:
        FEED_FORWARDS[name] = layer
        return layer

    return enter


def make_feed_forward(config: ModelConfig) -> nn.Module:
    r"""Make the layer that a configuration asks for.

    Args:
        config: Names the layer in ``feed_forward``.

    Returns:
        A layer from width ``d_model`` to ``d_model``.

    Raises:
        ValueError: No layer has that name; says which module to import.
    """
    if config.feed_forward not in FEED_FORWARDS:
        known = ", ".join(map(repr, sorted(FEED_FORWARDS)))
        raise ValueError(
            f"feed_forward is {config.feed_forward!r}, unknown among {known}: "
            "import llmcourse.emerging, which registers 'moe', or register it with register_feed_forward"
        )
    return FEED_FORWARDS[config.feed_forward](config)


def swiglu(
    x: Float[Tensor, "*batch D"],
    w1: Float[Tensor, "d_ff D"],
    w_gate: Float[Tensor, "d_ff D"],
    w2: Float[Tensor, "D d_ff"],
) -> Float[Tensor, "*batch D"]:
    r"""Multiply two projections of a vector, one of them through SiLU, and project back.

    Shazeer 2020 (arXiv:2002.05202): FFN_SwiGLU(x) = (Swish(x W) * x V) W_2. Notation: the paper's W is ``w_gate``, its
    V ``w1``, both transposed. Hugging Face calls ``w1`` up_proj, ``w_gate`` gate_proj and ``w2`` down_proj; Meta
    calls them w3, w1 and w2.

    Args:
        x: Vectors.
        w1: The projection that is multiplied.
        w_gate: The projection that goes through SiLU, z * sigmoid(z).
        w2: The projection back.

    Returns:
        Vectors of the shape and dtype of ``x``.

    Raises:
        ValueError: Shapes do not fit.

    Cost: 6 D d_ff FLOP for each vector, half as much again as two matrices of that size.

    Example:
        >>> one = torch.ones(1, 1)
        >>> swiglu(torch.tensor([2.0]), one, one, one)
        tensor([3.5232])
    """
    width = x.shape[-1]
    if w1.shape != w_gate.shape or w1.shape != (w2.shape[1], w2.shape[0]) or w2.shape[0] != width:
        raise ValueError(
            f"w1 has shape {tuple(w1.shape)}, w_gate {tuple(w_gate.shape)} and w2 {tuple(w2.shape)}: "
            f"the first two have to be (d_ff, {width}) and the last ({width}, d_ff)"
        )
    return functional.linear(_gated(functional.linear(x, w1), functional.linear(x, w_gate)), w2)


def _gated(x: Tensor, gate: Tensor) -> Tensor:
    """Return x * silu(gate)."""
    if torch.compiler.is_compiling():
        return x * functional.silu(gate)
    return _Gated.apply(x, gate)  # pyright: ignore[reportReturnType]


class _Gated(torch.autograd.Function):
    """The same without keeping silu(gate), which the backward pass takes anew: less memory, and faster on a CPU."""

    @staticmethod
    def forward(ctx, x, gate):  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx.save_for_backward(x, gate)
        return functional.silu(gate).mul_(x)

    @staticmethod
    def backward(ctx, grad):  # pyright: ignore[reportIncompatibleMethodOverride]
        x, gate = ctx.saved_tensors
        if torch.is_grad_enabled():  # a second derivative is wanted, which torch's kernel does not have
            sigmoid = gate.sigmoid()
            return grad * functional.silu(gate), grad * x * sigmoid * (1 + gate * (1 - sigmoid))
        return functional.silu(gate).mul_(grad), torch.ops.aten.silu_backward(grad * x, gate)


@register_feed_forward("swiglu")
class SwiGLU(nn.Module):
    r"""The layer of :func:`swiglu`, without biases.

    Args:
        config: Gives ``d_model`` and ``d_ff``.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.w1 = nn.Linear(config.d_model, config.d_ff, bias=False)
        self.w_gate = nn.Linear(config.d_model, config.d_ff, bias=False)
        self.w2 = nn.Linear(config.d_ff, config.d_model, bias=False)

    def forward(self, x: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """Transform each vector on its own."""
        return self.w2(_gated(self.w1(x), self.w_gate(x)))


@register_feed_forward("gelu")
class GeluMLP(nn.Module):
    r"""Two matrices with GELU between them (Hendrycks & Gimpel 2016, arXiv:1606.08415), without biases.

    At ``d_ff`` = 4 ``d_model`` it has as many parameters as SwiGLU at 8/3 ``d_model``.

    Args:
        config: Gives ``d_model`` and ``d_ff``.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.w1 = nn.Linear(config.d_model, config.d_ff, bias=False)
        self.w2 = nn.Linear(config.d_ff, config.d_model, bias=False)

    def forward(self, x: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """Transform each vector on its own."""
        return self.w2(functional.gelu(self.w1(x)))
