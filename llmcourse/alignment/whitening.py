"""Whitening: advantages with mean 0 and variance 1, over the tokens that count."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from llmcourse.alignment.operands import kept_mask, operands

__all__ = ["whiten"]


@torch.no_grad()
def whiten(
    values: Float[Tensor, "*S"], mask: Bool[Tensor, "*S"] | None = None, *, shift_mean: bool = True
) -> Float[Tensor, "*S"]:
    r"""Return values less their mean, divided by their standard deviation.

    Engstrom et al. 2020 (arXiv:2005.12729) and Huang et al. 2024 (arXiv:2403.17031, section 5) list it among the
    details on which PPO depends. Padding is zeros: counted in, it would draw the mean to 0 and the deviation down.

    Args:
        values: Advantages, or rewards.
        mask: True where a value counts; all do by default.
        shift_mean: False leaves the mean as it was, for rewards, whose sign means something.

    Returns:
        0 where the mask is False; without a graph, in fp32 at least. The variance is the unbiased one, plus 1e-8; one
        value alone, which has none, becomes 0 (or stays as it is).

    Raises:
        ValueError: Shapes do not fit; quotes them.

    Example:
        >>> whiten(torch.tensor([1.0, 3.0, 99.0]), torch.tensor([True, True, False]))
        tensor([-0.7071,  0.7071,  0.0000])
    """
    kept = kept_mask(mask, values)
    (wide,) = operands(kept, values=values)
    n = kept.sum()
    mean = wide.sum() / n.clamp(min=1)
    centred = (wide - mean).masked_fill(~kept, 0.0)
    variance = torch.where(n > 1, centred.square().sum() / (n - 1).clamp(min=1), 1.0)
    whitened = centred * torch.rsqrt(variance + 1e-8)
    return whitened if shift_mean else (whitened + mean).masked_fill(~kept, 0.0)
