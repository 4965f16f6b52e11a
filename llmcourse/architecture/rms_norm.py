"""Normalisation by the root mean square: LayerNorm without the mean and without the bias."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["RMSNorm", "rms_norm"]


def rms_norm(
    x: Float[Tensor, "*batch D"], weight: Float[Tensor, "D"], *, eps: float = 1e-6
) -> Float[Tensor, "*batch D"]:
    r"""Divide each vector by its root mean square and scale its features.

    Zhang & Sennrich 2019 (arXiv:1910.07467), section 3: y = x / RMS(x) * g with RMS(x) = sqrt(mean(x^2) + eps).
    Notation: the paper's gain g is ``weight``, its n is the width D. The paper has no eps; Llama added it.

    The mean square is taken in fp32: in bf16, a sum of squares stops growing once it is 256 times its next term.

    Args:
        x: Vectors, in any floating dtype.
        weight: The gain of each feature.
        eps: Added to the mean square, so that a vector of zeros stays one.

    Returns:
        Vectors of the shape and dtype of ``x``.

    Raises:
        ValueError: ``weight`` does not have the width of ``x``.

    Cost: some 4 D FLOP and one read and write of each vector; memory, not arithmetic, sets the time.

    Example:
        >>> rms_norm(torch.tensor([[3.0, 4.0]]), torch.ones(2), eps=0.0)
        tensor([[0.8485, 1.1314]])
    """
    if weight.shape != x.shape[-1:]:
        raise ValueError(f"weight has shape {tuple(weight.shape)} and x {tuple(x.shape)}: the last sizes have to agree")
    if _by_hand(x, weight):
        return _RMSNorm.apply(x, weight, eps)  # pyright: ignore[reportReturnType]
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    scale = torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)
    return (wide * scale * weight).to(x.dtype)


def _by_hand(x: Tensor, weight: Tensor) -> bool:
    """Whether to train on a CPU in fp32 or fp64; a compiler, and other devices, fuse the formula themselves."""
    training = torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad)
    wide = x.dtype == weight.dtype and x.dtype in (torch.float32, torch.float64)
    return training and wide and x.device.type == "cpu" and not torch.compiler.is_compiling()


class _RMSNorm(torch.autograd.Function):
    """The same with fewer passes over memory, and a backward pass by hand: on a CPU a third of the time.

    With n = x / RMS(x) and h = grad * weight: d weight = sum of grad * n, and d x = (h - n * mean(h * n)) / RMS(x).
    """

    @staticmethod
    def forward(ctx, x, weight, eps):  # pyright: ignore[reportIncompatibleMethodOverride]
        length = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        scale = length.square_().div_(x.shape[-1]).add_(eps).rsqrt_()
        ctx.save_for_backward(x, scale, weight)
        ctx.eps = eps
        return (x * scale).mul_(weight)

    @staticmethod
    def backward(ctx, grad):  # pyright: ignore[reportIncompatibleMethodOverride]
        x, scale, weight = ctx.saved_tensors
        if torch.is_grad_enabled():  # a second derivative is wanted, for which the scale must not look constant
            scale = torch.rsqrt(x.square().mean(-1, keepdim=True) + ctx.eps)
        normal = x * scale
        along = grad * normal
        mean = (along @ weight).unsqueeze(-1) / x.shape[-1]
        grad_x = (grad * weight).addcmul_(normal, mean, value=-1).mul_(scale)
        return grad_x, along.reshape(-1, along.shape[-1]).sum(0), None


class RMSNorm(nn.Module):
    r"""The layer of :func:`rms_norm`, whose gains start at 1.

    Args:
        width: Features of a vector.
        eps: Added to the mean square.

    Example:
        >>> RMSNorm(8)(torch.ones(2, 8)).shape
        torch.Size([2, 8])
    """

    def __init__(self, width: int, *, eps: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """Normalise each vector."""
        return rms_norm(x, self.weight, eps=self.eps)

    def extra_repr(self) -> str:
        """Return what torch prints between the brackets."""
        return f"{self.weight.shape[0]}, eps={self.eps}"
