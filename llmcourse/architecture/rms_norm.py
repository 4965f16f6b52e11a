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
    wide = x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
    scale = torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)
    return (wide * scale * weight).to(x.dtype)


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
