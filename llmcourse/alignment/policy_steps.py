"""Steps of training on answers that the policy has drawn: PPO with a critic, and GRPO without."""

from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from llmcourse.alignment.answers import Answers, answer_log_probs, answer_logits
from llmcourse.alignment.diagnostics import diagnose_policy, explained_variance
from llmcourse.alignment.frozen_reference import reference_of
from llmcourse.alignment.gae import gae
from llmcourse.alignment.grpo import grpo_loss
from llmcourse.alignment.ppo import entropy, ppo_loss, value_loss
from llmcourse.alignment.rollouts import Rollouts
from llmcourse.alignment.shared_prompt import SharedPrompts, share_prompts, shared_log_probs
from llmcourse.alignment.token_rewards import token_rewards
from llmcourse.alignment.training_step import StepReport, take_step
from llmcourse.alignment.whitening import whiten

__all__ = ["Critic", "PPOBatch", "grpo_step", "judge_rollouts", "ppo_step"]


@runtime_checkable
class Critic(Protocol):
    """What says how good an answer will become; :class:`llmcourse.alignment.RewardModel` is one."""

    def values(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T"]:
        """Return what is expected before each token."""
        ...


class PPOBatch(NamedTuple):
    """Answers, and all that stays as it was while several steps learn from them.

    Attributes:
        answers: Prompts and answers.
        log_probs: Under the policy that drew them.
        values: What the critic said then.
        advantages: Whitened.
        returns: The critic's targets.
        kl: The mean of an answer's log-ratio to the reference, in nats: for :class:`llmcourse.alignment.AdaptiveKL`.
    """

    answers: Answers
    log_probs: Float[Tensor, "B T"]
    values: Float[Tensor, "B T"]
    advantages: Float[Tensor, "B T"]
    returns: Float[Tensor, "B T"]
    kl: float


@torch.no_grad()
def judge_rollouts(
    policy: nn.Module,
    reference: nn.Module | None,
    critic: Critic,
    rollouts: Rollouts,
    scores: Float[Tensor, " B"],
    *,
    beta: float = 0.05,
    gamma: float = 1.0,
    lam: float = 0.95,
    whitened: bool = True,
) -> PPOBatch:
    r"""Turn scores of answers into advantages of tokens: rewards with the KL in them, GAE, whitening.

    Args:
        policy: The one that drew the answers; only its adapters matter, where ``reference`` is None.
        reference: The frozen model; None is the policy without its LoRA adapters.
        critic: Says what was to be expected.
        rollouts: The answers.
        scores: The reward of each answer, a reward model's or a program's.
        beta: The price of the KL, in units of reward a nat; it is in the rewards and nowhere else.
        gamma: Discount of a token.
        lam: GAE's lambda.
        whitened: Bring advantages to mean 0 and variance 1 over the tokens that count.

    Returns:
        A batch for :func:`ppo_step`.

    Raises:
        ValueError: Shapes do not fit, or there is no reference.
    """
    answers, old, _ = rollouts
    with reference_of(policy, reference) as frozen:
        before = answer_log_probs(frozen, answers)
    rewards = token_rewards(scores, old, before, answers.mask, beta=beta)
    values = critic.values(answers.tokens)
    advantages, returns = gae(rewards, values, answers.mask, gamma=gamma, lam=lam)
    if whitened:
        advantages = whiten(advantages, answers.mask)
    kl = float((old - before).sum(-1).mean())
    return PPOBatch(answers, old, values, advantages, returns, kl)


def ppo_step(
    policy: nn.Module,
    critic: nn.Module,
    optimizer: torch.optim.Optimizer,
    batch: PPOBatch,
    *,
    clip: float = 0.2,
    value_clip: float = 0.2,
    value_weight: float = 0.5,
    entropy_weight: float = 0.0,
    max_norm: float = 1.0,
) -> StepReport:
    r"""Make one of the several steps that PPO takes on a batch (Schulman et al. 2017, arXiv:1707.06347).

    Args:
        policy: Changed.
        critic: Changed; a :class:`Critic` with weights of its own.
        optimizer: Of the parameters of both, or of the policy's adapters and the critic.
        batch: From :func:`judge_rollouts`.
        clip: How far the ratio may gain from 1.
        value_clip: How far a value may gain from what the critic said then.
        value_weight: Of the critic's loss.
        entropy_weight: Of the entropy, which is to be large.
        max_norm: The greatest norm of all gradients together.

    Returns:
        The loss; ``policy_loss``, ``value_loss``, ``kl`` from the policy that drew the answers, in nats a token,
        ``clip_fraction`` and ``explained_variance``.

    Raises:
        ValueError: Shapes do not fit, or the gradient is not finite.
    """
    answers, old, old_values, advantages, returns, _ = batch
    now = answer_log_probs(policy, answers)
    values = critic.values(answers.tokens)  # pyright: ignore[reportCallIssue]
    of_policy = ppo_loss(now, old, advantages, answers.mask, clip=clip)
    of_critic = value_loss(values, old_values, returns, answers.mask, clip=value_clip)
    loss = of_policy + value_weight * of_critic
    if entropy_weight:
        loss = loss - entropy_weight * entropy(answer_logits(policy, answers))
    found = diagnose_policy(now, old, answers.mask, clip=clip)
    metrics = {
        "policy_loss": of_policy.item(),
        "value_loss": of_critic.item(),
        "kl": found.kl,
        "clip_fraction": found.clip_fraction,
        "explained_variance": explained_variance(values, returns, answers.mask),
    }
    return take_step(nn.ModuleList([policy, critic]), optimizer, loss, max_norm=max_norm, **metrics)


def grpo_step(
    policy: nn.Module,
    reference: nn.Module | None,
    optimizer: torch.optim.Optimizer,
    rollouts: Rollouts,
    rewards: Float[Tensor, " B"],
    *,
    group_size: int,
    clip: float = 0.2,
    beta: float = 0.0,
    aggregation: Literal["sequence", "token", "constant"] = "sequence",
    normalize_std: bool = True,
    share: bool = False,
    max_norm: float = 1.0,
) -> StepReport:
    r"""Make one step of GRPO (Shao et al. 2024, arXiv:2402.03300).

    Args:
        policy: Changed.
        reference: The frozen model, asked only where ``beta`` is above 0; None is the policy without its adapters.
        optimizer: Of the policy's parameters, or of its adapters'.
        rollouts: ``group_size`` answers to each prompt, which stand together.
        rewards: One for each answer, from a program that verifies it or from a reward model, with no KL in it.
        group_size: Answers to each prompt.
        clip: How far the ratio may gain from 1.
        beta: The price of the KL in the loss.
        aggregation: As for :func:`grpo_loss`.
        normalize_std: Likewise.
        share: Compute each prompt once for its group, which is the form to run; the policy is then a
            :class:`llmcourse.architecture.Transformer`.
        max_norm: The greatest norm of the gradients.

    Returns:
        The loss, the mean ``reward``, ``kl`` from the policy that drew the answers, and ``clip_fraction``.

    Raises:
        ValueError: Shapes do not fit, a setting is out of its range, or the gradient is not finite.
    """
    answers, old, _ = rollouts
    shared = share_prompts(answers, group_size=group_size) if share else None
    before = None
    if beta:
        with reference_of(policy, reference) as frozen:
            before = _log_probs(frozen, answers, shared)
    now = _log_probs(policy, answers, shared)
    loss = grpo_loss(
        now,
        old,
        rewards,
        answers.mask,
        group_size=group_size,
        clip=clip,
        reference_log_probs=before,
        beta=beta,
        aggregation=aggregation,
        normalize_std=normalize_std,
    )
    found = diagnose_policy(now, old, answers.mask, clip=clip)
    metrics = {"reward": float(rewards.float().mean()), "kl": found.kl, "clip_fraction": found.clip_fraction}
    return take_step(policy, optimizer, loss, max_norm=max_norm, **metrics)


def _log_probs(model: Any, answers: Answers, shared: SharedPrompts | None) -> Float[Tensor, "B T"]:
    if shared is None:
        return answer_log_probs(model, answers)
    found = shared_log_probs(model, shared)[shared.mask]  # row by row, as the answers stand in whole rows
    return found.new_zeros(answers.mask.shape).masked_scatter(answers.mask, found)
