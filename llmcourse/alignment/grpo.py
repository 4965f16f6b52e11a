"""Group relative policy optimisation: the other answers to the same prompt take the critic's place."""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from llmcourse.alignment.kl import kl_penalty
from llmcourse.alignment.operands import kept_mask, masked_mean
from llmcourse.alignment.ppo import clipped_surrogate

__all__ = ["group_advantages", "grpo_loss"]


@torch.no_grad()
def group_advantages(
    rewards: Float[Tensor, " B"], *, group_size: int, normalize_std: bool = True
) -> Float[Tensor, " B"]:
    r"""Return how much better each answer is than the mean of its group.

    Shao et al. 2024 (arXiv:2402.03300), section 4.1.2. Dividing by the standard deviation makes a prompt count the more
    the less its rewards differ, that is, where nearly all answers are right or nearly all wrong; Dr. GRPO (Liu et al.
    2025, arXiv:2503.20783, section 3) leaves it out.

    Args:
        rewards: Answers to one prompt stand together.
        group_size: How many there are to each prompt, at least 2.
        normalize_std: Divide by the group's standard deviation (unbiased), plus 1e-4.

    Returns:
        Advantages without a graph, in fp32 at least; 0 where all answers to a prompt have one reward, so that a prompt
        which is always or never solved teaches nothing.

    Raises:
        ValueError: Rewards do not make whole groups; quotes the numbers.

    Example:
        >>> group_advantages(torch.tensor([1.0, 0.0, 5.0, 5.0]), group_size=2, normalize_std=False)
        tensor([ 0.5000, -0.5000,  0.0000,  0.0000])
    """
    if rewards.ndim != 1 or group_size < 2 or len(rewards) % group_size:
        raise ValueError(
            f"rewards are {tuple(rewards.shape)} and group_size is {group_size}: "
            "give (B,) of whole groups of at least 2, which stand together"
        )
    groups = rewards.to(torch.promote_types(rewards.dtype, torch.float32)).view(-1, group_size)
    advantages = groups - groups.mean(1, keepdim=True)
    if normalize_std:
        advantages = advantages / (groups.std(1, keepdim=True) + 1e-4)
    return advantages.flatten()


def grpo_loss(
    log_probs: Float[Tensor, "B T"],
    old_log_probs: Float[Tensor, "B T"],
    rewards: Float[Tensor, " B"],
    mask: Bool[Tensor, "B T"],
    *,
    group_size: int,
    clip: float = 0.2,
    reference_log_probs: Float[Tensor, "B T"] | None = None,
    beta: float = 0.0,
    aggregation: Literal["sequence", "token", "constant"] = "sequence",
    normalize_std: bool = True,
) -> Float[Tensor, ""]:
    r"""Return the loss: PPO's clipped objective with group advantages, and the KL in the loss, not in the reward.

    Shao et al. 2024 (arXiv:2402.03300), equation 3. How tokens are summed up decides which answers count:

    - "sequence", as in the paper: the mean over an answer's tokens, then over answers. A token of a long answer counts
      less, so that a wrong answer is punished less the longer it is.
    - "token" (DAPO, Yu et al. 2025, arXiv:2503.14476): the mean over all tokens of the batch.
    - "constant" (Dr. GRPO, Liu et al. 2025, arXiv:2503.20783): the sum over tokens, divided by B T at all lengths.

    Args:
        log_probs: Of the answers' tokens under the policy.
        old_log_probs: Under the policy that drew them; a constant.
        rewards: One for each answer; answers to one prompt stand together.
        mask: True at the answers' tokens, their end among them.
        group_size: Answers to each prompt.
        clip: How far the ratio may gain from 1.
        reference_log_probs: Under the frozen reference; needed where beta is above 0.
        beta: The price of the KL (k3), in units of advantage a nat.
        aggregation: How tokens are summed up.
        normalize_std: As for :func:`group_advantages`; Dr. GRPO has False.

    Returns:
        A scalar in fp32 at least; 0 with zero gradients where nothing counts.

    Raises:
        ValueError: Shapes do not fit, or a setting is out of its range.

    Example:
        >>> old, mask = torch.zeros(2, 3), torch.ones(2, 3, dtype=torch.bool)
        >>> policy = torch.zeros(2, 3, requires_grad=True)
        >>> loss = grpo_loss(policy, old, torch.tensor([1.0, 0.0]), mask, group_size=2, normalize_std=False)
        >>> torch.autograd.grad(loss, policy)[0][:, 0]  # the better answer becomes likelier
        tensor([-0.0833,  0.0833])
    """
    if beta < 0 or (beta > 0 and reference_log_probs is None):
        given = "none" if reference_log_probs is None else "given"
        raise ValueError(f"beta is {beta} and reference_log_probs {given}: a KL needs both, beta above 0")
    if rewards.shape != log_probs.shape[:1]:
        raise ValueError(f"rewards are {tuple(rewards.shape)} and log_probs {tuple(log_probs.shape)}: one for each row")
    advantages = group_advantages(rewards, group_size=group_size, normalize_std=normalize_std)
    losses = -clipped_surrogate(log_probs, old_log_probs, advantages[:, None].expand_as(log_probs), mask, clip=clip)
    if beta and reference_log_probs is not None:
        losses = losses + beta * kl_penalty(log_probs, reference_log_probs, mask, estimator="k3")
    return _aggregate(losses, kept_mask(mask, log_probs), aggregation)


def _aggregate(losses: Float[Tensor, "B T"], mask: Bool[Tensor, "B T"], aggregation: str) -> Float[Tensor, ""]:
    if aggregation == "sequence":
        return (losses.sum(1) / mask.sum(1).clamp(min=1)).mean()
    if aggregation == "token":
        return masked_mean(losses, mask)
    if aggregation == "constant":
        return losses.sum() / losses.numel()
    raise ValueError(f"aggregation is {aggregation!r}: choose 'sequence', 'token' or 'constant'")
