"""Proximal policy optimisation: the clipped losses of the policy and of the critic, and entropy."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from llmcourse.alignment.importance_ratio import importance_ratio
from llmcourse.alignment.operands import masked_mean, operands

__all__ = ["clipped_surrogate", "entropy", "ppo_loss", "value_loss"]


def ppo_loss(
    log_probs: Float[Tensor, "*S"],
    old_log_probs: Float[Tensor, "*S"],
    advantages: Float[Tensor, "*S"],
    mask: Bool[Tensor, "*S"] | None = None,
    *,
    clip: float = 0.2,
) -> Float[Tensor, ""]:
    r"""Return the policy's loss: minus the mean of the clipped objective over the tokens that count.

    Schulman et al. 2017 (arXiv:1707.06347), equation 7, whose epsilon is ``clip``. Each batch of answers is used for
    several steps; the ratio corrects for the policy having moved since it drew them, and clipping takes away the reason
    to move further. There is no KL here: it is in the rewards.

    Args:
        log_probs: Of the answers' tokens under the policy.
        old_log_probs: Under the policy that drew them; a constant.
        advantages: From :func:`llmcourse.alignment.gae`, whitened; constants.
        mask: True at the answers' tokens; all count by default.
        clip: How far the ratio may gain from 1.

    Returns:
        A scalar in fp32 at least; 0 with zero gradients where nothing counts.

    Raises:
        ValueError: Shapes do not fit, or clip is not above 0.

    Example:
        >>> old = torch.zeros(2)
        >>> ppo_loss(torch.tensor([2.0, 0.5]).log(), old, torch.tensor([1.0, 1.0]))  # -(1.2 + 0.5) / 2
        tensor(-0.8500)
    """
    return masked_mean(-clipped_surrogate(log_probs, old_log_probs, advantages, mask, clip=clip), mask)


def clipped_surrogate(
    log_probs: Float[Tensor, "*S"],
    old_log_probs: Float[Tensor, "*S"],
    advantages: Float[Tensor, "*S"],
    mask: Bool[Tensor, "*S"] | None = None,
    *,
    clip: float = 0.2,
) -> Float[Tensor, "*S"]:
    r"""Return the objective of each token: min(ratio A, clip(ratio, 1 - eps, 1 + eps) A).

    The smaller of the two is a lower bound of what the policy gains: a step that has gone too far the right way has a
    gradient of 0, and one that has gone the wrong way keeps all of its gradient.

    Args:
        log_probs: Of tokens under the policy.
        old_log_probs: Under the policy that drew them.
        advantages: How much better than expected each was.
        mask: True where a token counts; the others have 0.
        clip: The paper's epsilon.

    Returns:
        To be made large.

    Raises:
        ValueError: Shapes do not fit, or clip is not above 0.
    """
    if not clip > 0:
        raise ValueError(f"clip is {clip}: it has to be above 0, 0.2 for instance")
    policy, old, gain = operands(
        mask, log_probs=log_probs, old_log_probs=old_log_probs.detach(), advantages=advantages.detach()
    )
    ratio = importance_ratio(policy, old)
    return torch.minimum(ratio * gain, ratio.clamp(1 - clip, 1 + clip) * gain)


def value_loss(
    values: Float[Tensor, "*S"],
    old_values: Float[Tensor, "*S"],
    returns: Float[Tensor, "*S"],
    mask: Bool[Tensor, "*S"] | None = None,
    *,
    clip: float = 0.2,
) -> Float[Tensor, ""]:
    r"""Return the critic's loss: half the mean square error, of the worse of the value and the value held near before.

    As in OpenAI's baselines (Huang et al. 2024, arXiv:2403.17031, section 5). The larger of two losses bounds from
    above, as the smaller of two objectives bounds from below.

    Args:
        values: What the critic says now.
        old_values: What it said when the answers were drawn; constants.
        returns: Its targets; constants.
        mask: True at the answers' tokens; all count by default.
        clip: How far from ``old_values`` a value may gain, in units of reward.

    Returns:
        A scalar in fp32 at least; 0 with zero gradients where nothing counts.

    Raises:
        ValueError: Shapes do not fit, or clip is not above 0.

    Example:
        >>> value_loss(torch.tensor([1.0]), torch.tensor([0.0]), torch.tensor([1.0]))  # (0.2 - 1)^2 / 2
        tensor(0.3200)
    """
    if not clip > 0:
        raise ValueError(f"clip is {clip}: it has to be above 0; float('inf') does not clip")
    now, before, target = operands(mask, values=values, old_values=old_values.detach(), returns=returns.detach())
    held = before + (now - before).clamp(-clip, clip)
    return masked_mean(torch.maximum((now - target).square(), (held - target).square()) / 2, mask)


def entropy(logits: Float[Tensor, "*S V"], mask: Bool[Tensor, "*S"] | None = None) -> Float[Tensor, ""]:
    r"""Return the mean entropy of the next token: a policy that has stopped exploring has none left.

    Args:
        logits: Scores before the softmax; minus infinity is a token that cannot come.
        mask: True where a position counts; all do by default.

    Returns:
        Nats, in fp32 at least; 0 where nothing counts.

    Raises:
        ValueError: The mask does not fit; quotes its shape.

    Example:
        >>> entropy(torch.zeros(2, 8))  # ln 8
        tensor(2.0794)
    """
    kept = torch.ones_like(logits[..., 0], dtype=torch.bool) if mask is None else mask
    (wide,) = operands(kept[..., None].expand_as(logits) if kept.shape == logits.shape[:-1] else kept, logits=logits)
    log_p = wide.log_softmax(-1)
    return masked_mean(-(log_p.exp() * log_p.clamp(min=torch.finfo(log_p.dtype).min)).sum(-1), mask)
