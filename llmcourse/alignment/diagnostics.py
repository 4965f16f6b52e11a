"""What to watch while PPO trains: most of its failures are seen here before they are seen in the reward."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from llmcourse.alignment.importance_ratio import importance_ratio
from llmcourse.alignment.kl import kl_penalty
from llmcourse.alignment.operands import kept_mask, masked_mean, operands

__all__ = ["PolicyDiagnostics", "diagnose_policy", "explained_variance"]


class PolicyDiagnostics(NamedTuple):
    """How far the policy has moved since it drew the answers.

    Attributes:
        kl: From the policy that drew them, in nats a token (k3); above 0.02 or so the steps are too large.
        clip_fraction: The share of tokens whose ratio is out of bounds; 0.1 to 0.3 is common.
        ratio: The mean ratio, which stays near 1.
    """

    kl: float
    clip_fraction: float
    ratio: float


@torch.no_grad()
def diagnose_policy(
    log_probs: Float[Tensor, "*S"],
    old_log_probs: Float[Tensor, "*S"],
    mask: Bool[Tensor, "*S"] | None = None,
    *,
    clip: float = 0.2,
) -> PolicyDiagnostics:
    r"""Measure how far a policy has moved since it drew a batch of answers.

    Args:
        log_probs: Of the tokens now.
        old_log_probs: When they were drawn.
        mask: True at the answers' tokens; all count by default.
        clip: As for the loss.

    Returns:
        Means over the tokens that count; 0 where none does.

    Raises:
        ValueError: Shapes do not fit; quotes them.

    Example:
        >>> diagnose_policy(torch.tensor([1.5, 1.0]).log(), torch.zeros(2)).clip_fraction
        0.5
    """
    new, old = operands(mask, log_probs=log_probs, old_log_probs=old_log_probs)
    ratio = importance_ratio(new, old)
    # The draws are the old policy's, so it is the first of the two: KL(old || new).
    kl = kl_penalty(old, new, mask, estimator="k3")
    return PolicyDiagnostics(*(float(masked_mean(v, mask)) for v in (kl, ((ratio - 1).abs() > clip).to(kl), ratio)))


@torch.no_grad()
def explained_variance(
    values: Float[Tensor, "*S"], returns: Float[Tensor, "*S"], mask: Bool[Tensor, "*S"] | None = None
) -> float:
    r"""Return which share of the returns' variance the critic explains.

    Args:
        values: What it said.
        returns: What came.
        mask: True at the answers' tokens; all count by default.

    Returns:
        1 - var(returns - values) / var(returns): 1 is perfect, 0 is no better than a constant, below 0 is worse. NaN
        where the returns do not vary, and nothing can be explained.

    Raises:
        ValueError: Shapes do not fit; quotes them.

    Example:
        >>> explained_variance(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.0]))
        1.0
    """
    kept = kept_mask(mask, values)
    values, returns = operands(kept, values=values, returns=returns)
    values, returns = values[kept], returns[kept]
    if returns.numel() < 2 or not bool(returns.var() > 0):
        return float("nan")
    return float(1 - (returns - values).var() / returns.var())
