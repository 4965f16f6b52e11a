"""Layer normalisation, written out for contrast with RMSNorm."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["LayerNorm", "layer_norm"]


def layer_norm(
    x: Float[Tensor, "*batch D"], weight: Float[Tensor, "D"], bias: Float[Tensor, "D"], *, eps: float = 1e-5
) -> Float[Tensor, "*batch D"]:
    r"""Take each vector's mean away, divide by its standard deviation, scale and shift its features.

    Ba et al. 2016 (arXiv:1607.06450), section 3. Notation: the paper's gain g is ``weight``, its b is ``bias``. What
    :func:`llmcourse.architecture.rms_norm` leaves out of it: the mean, and the bias.

    Args:
        x: Vectors, in any floating dtype; statistics are taken in fp32.
        weight: The gain of each feature.
        bias: Added to each feature at the end.
        eps: Added to the variance.

    Returns:
        Vectors of the shape and dtype of ``x``.

    Raises:
        ValueError: ``weight`` or ``bias`` does not have the width of ``x``.

    Example:
        >>> layer_norm(torch.tensor([[3.0, 5.0]]), torch.ones(2), torch.zeros(2), eps=0.0)
        tensor([[-1.,  1.]])
    """
    for name, parameter in (("weight", weight), ("bias", bias)):
        if parameter.shape != x.shape[-1:]:
            raise ValueError(
                f"{name} has shape {tuple(parameter.shape)} and x {tuple(x.shape)}: make the last sizes agree"
            )
    wide = x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
    centred = wide - wide.mean(-1, keepdim=True)
    variance = centred.square().mean(-1, keepdim=True)
    return (centred * torch.rsqrt(variance + eps) * weight + bias).to(x.dtype)


class LayerNorm(nn.Module):
    r"""The layer of :func:`layer_norm`: gains start at 1, biases at 0. Computed by torch's fused kernel.

    Args:
        width: Features of a vector.
        eps: Added to the variance.

    Example:
        >>> LayerNorm(8)(torch.ones(2, 8)).abs().max().item()
        0.0
    """

    def __init__(self, width: int, *, eps: float = 1e-5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))
        self.eps = eps

    def forward(self, x: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """Normalise each vector."""
        return nn.functional.layer_norm(x, x.shape[-1:], self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Return what torch prints between the brackets."""
        return f"{self.weight.shape[0]}, eps={self.eps}"
