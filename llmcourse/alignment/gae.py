"""Generalised advantage estimation: how much better each token was than what the critic expected."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from llmcourse.alignment.operands import kept_mask, operands

__all__ = ["gae"]


@torch.no_grad()
def gae(
    rewards: Float[Tensor, "B T"],
    values: Float[Tensor, "B T"],
    mask: Bool[Tensor, "B T"] | None = None,
    *,
    gamma: float = 1.0,
    lam: float = 0.95,
) -> tuple[Float[Tensor, "B T"], Float[Tensor, "B T"]]:
    r"""Return the advantage of each token, and the return that its value should have been.

    Schulman et al. 2015 (arXiv:1506.02438), equation 16: the sum over l of (gamma lam)^l delta_{t+l}, with delta_t =
    r_t + gamma V_{t+1} - V_t, worked out from the last token on. An answer ends with its last token: the value after it
    is 0. ``lam = 0`` trusts the critic one token on; ``lam = 1`` takes the rewards that came.

    Args:
        rewards: Of each token.
        values: What the critic expected before it.
        mask: True at the answer's tokens; all count by default. The others are passed over, wherever they stand and
            whatever stands there: the token after one that counts is the next one that counts.
        gamma: Discount of a token; 1 for answers, which are short.
        lam: The paper's lambda.

    Returns:
        Advantages, and advantages + values, which are the critic's targets; 0 where the mask is False. Without a
        graph, in fp32 at least.

    Raises:
        ValueError: Shapes do not fit, or a factor is not from 0 to 1.

    Cost: T steps of B numbers. The definition as it stands is O(T^2).

    Example:
        >>> advantages, returns = gae(torch.tensor([[0.0, 1.0]]), torch.tensor([[0.5, 0.8]]), lam=1.0)
        >>> advantages, returns
        (tensor([[0.5000, 0.2000]]), tensor([[1., 1.]]))
    """
    for name, factor in (("gamma", gamma), ("lam", lam)):
        if not 0 <= factor <= 1:
            raise ValueError(f"{name} is {factor}: it is from 0 to 1")
    kept = kept_mask(mask, rewards)
    rewards, values = operands(kept, rewards=rewards, values=values)
    advantages = torch.zeros_like(rewards)
    next_value = next_advantage = rewards.new_zeros(len(rewards))
    for t in reversed(range(rewards.shape[1])):
        here = kept[:, t]
        delta = rewards[:, t] + gamma * next_value - values[:, t]
        next_advantage = torch.where(here, delta + gamma * lam * next_advantage, next_advantage)
        next_value = torch.where(here, values[:, t], next_value)
        advantages[:, t] = next_advantage.where(here, 0.0)
    return advantages, advantages + values
