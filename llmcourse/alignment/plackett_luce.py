"""Plackett and Luce's model of a ranking: the best of all, then the best of the rest, and so on."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from llmcourse.alignment.operands import kept_mask, operands

__all__ = ["plackett_luce_loss"]


def plackett_luce_loss(
    scores: Float[Tensor, "B K"], mask: Bool[Tensor, "B K"] | None = None, *, top: int | None = None
) -> Float[Tensor, " B"]:
    r"""Return minus the log-probability of each ranking.

    Luce 1959 and Plackett 1975: a ranking is made by choosing the best of all K by a softmax over their scores, then
    the best of the K - 1 that are left, and so on. With K = 2 it is Bradley and Terry's. Rafailov et al. 2023
    (arXiv:2305.18290, appendix A.3) put implicit rewards into it: DPO for rankings.

    Args:
        scores: Rewards, **best answer first**, as people have ranked them.
        mask: True where there is an answer, for rankings of different lengths.
        top: Only the first so many were put in order, and the rest is behind them in no order; None ranks all.

    Returns:
        Nats, in fp32 at least. The last choice, of one that is left, costs nothing; a row of less than two has 0.

    Raises:
        ValueError: Shapes do not fit, or ``top`` is below 1.

    Cost: O(K^2) numbers a ranking, K being the answers to one prompt.

    Example:
        >>> plackett_luce_loss(torch.zeros(1, 3))  # all 3! rankings are as likely: ln 6
        tensor([1.7918])
    """
    if scores.ndim != 2 or (top is not None and top < 1):
        raise ValueError(f"scores are {tuple(scores.shape)} and top is {top}: give (B, K), and rank at least the first")
    (wide,) = operands(mask, scores=scores)
    kept = kept_mask(mask, scores)
    k = scores.shape[1]
    # Row i of (B, K, K) holds what can still be chosen at choice i, answer i itself and all behind it, as differences
    # from its score: scores may be large, and the digits of the loss are in their differences.
    behind = torch.ones(k, k, dtype=torch.bool, device=scores.device).triu()
    ahead_of = wide[:, None, :] - wide[:, :, None]
    losses = ahead_of.masked_fill(~(behind & kept[:, None, :]), -torch.finfo(wide.dtype).max).logsumexp(-1)
    counted = kept if top is None else kept & (kept.cumsum(-1) <= top)
    return losses.masked_fill(~counted, 0.0).sum(-1)
