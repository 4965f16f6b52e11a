"""Steps of training on pairs of answers: DPO, IPO, ORPO and SimPO."""

from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from llmcourse.alignment.answers import Answers, answer_log_probs
from llmcourse.alignment.bradley_terry import preference_accuracy
from llmcourse.alignment.dpo import dpo_loss, implicit_rewards, reward_accuracy
from llmcourse.alignment.frozen_reference import reference_of
from llmcourse.alignment.orpo import orpo_loss
from llmcourse.alignment.shared_prompt import SharedPrompts, shared_log_probs
from llmcourse.alignment.simpo import simpo_loss
from llmcourse.alignment.training_step import StepReport, take_step

__all__ = ["AnswerPairs", "dpo_step", "orpo_step", "pair_log_probs", "simpo_step"]


class AnswerPairs(NamedTuple):
    """Two answers to each prompt.

    Attributes:
        chosen: Prompts with the preferred answers.
        rejected: The same prompts with the others.
    """

    chosen: Answers
    rejected: Answers


def pair_log_probs(
    model: nn.Module, pairs: AnswerPairs | SharedPrompts, *, average: bool = False
) -> tuple[Float[Tensor, " B"], Float[Tensor, " B"]]:
    r"""Return the log-probabilities of both answers of each pair.

    Args:
        model: Gives logits for tokens.
        pairs: Two rows a pair, computed one after the other, which is the form to read; or, for a
            :class:`llmcourse.architecture.Transformer`, :func:`llmcourse.alignment.share_prompts` of them, which is the
            form to run: the prompt, often most of both rows, is computed once.
        average: Divide by the answer's length.

    Returns:
        Those of the chosen answers and of the rejected ones, in fp32 at least.
    """
    if isinstance(pairs, SharedPrompts):
        totals = shared_log_probs(model, pairs).sum(-1).chunk(2)  # pyright: ignore[reportArgumentType]
        lengths = pairs.mask.sum(-1).chunk(2)
    else:
        totals = [answer_log_probs(model, side).sum(-1) for side in pairs]
        lengths = [side.lengths for side in pairs]
    if average:
        totals = [total / length.clamp(min=1) for total, length in zip(totals, lengths, strict=True)]
    return totals[0], totals[1]


def dpo_step(
    policy: nn.Module,
    reference: nn.Module | None,
    optimizer: torch.optim.Optimizer,
    pairs: AnswerPairs | SharedPrompts,
    *,
    beta: float = 0.1,
    label_smoothing: float = 0.0,
    variant: Literal["sigmoid", "ipo"] = "sigmoid",
    max_norm: float = 1.0,
) -> StepReport:
    r"""Make one step of DPO (Rafailov et al. 2023, arXiv:2305.18290) or of IPO.

    Args:
        policy: Changed.
        reference: The frozen model that it started from; None is the policy without its LoRA adapters.
        optimizer: Of the policy's parameters, or of its adapters'.
        pairs: Two answers to each prompt.
        beta: How near to the reference the policy stays.
        label_smoothing: As for :func:`dpo_loss`.
        variant: Likewise; "ipo" takes averages.
        max_norm: The greatest norm of the gradients.

    Returns:
        The mean loss; ``accuracy`` and ``margin`` of implicit rewards; ``chosen_gain``, by how many nats the chosen
        answers have become likelier than under the reference: DPO asks for the margin alone, and this may well fall.

    Raises:
        ValueError: A setting is out of its range, or the gradient is not finite.
    """
    average = variant == "ipo"
    with reference_of(policy, reference) as frozen:
        before = pair_log_probs(frozen, pairs, average=average)  # pyright: ignore[reportArgumentType]
    now = pair_log_probs(policy, pairs, average=average)
    loss = dpo_loss(*now, *before, beta=beta, label_smoothing=label_smoothing, variant=variant).mean()
    chosen, rejected = (implicit_rewards(*side, beta=beta) for side in zip(now, before, strict=True))
    metrics = {
        "accuracy": reward_accuracy(*now, *before),
        "margin": float((chosen - rejected).mean()),
        "chosen_gain": float(chosen.mean()) / beta,
    }
    return take_step(policy, optimizer, loss, max_norm=max_norm, **metrics)


def orpo_step(
    policy: nn.Module,
    optimizer: torch.optim.Optimizer,
    pairs: AnswerPairs | SharedPrompts,
    *,
    weight: float = 0.1,
    max_norm: float = 1.0,
) -> StepReport:
    r"""Make one step of ORPO (Hong et al. 2024, arXiv:2403.07691), which needs no reference.

    Args:
        policy: Changed.
        optimizer: Of its parameters, or of its adapters'.
        pairs: Two answers to each prompt.
        weight: Of the odds' part.
        max_norm: The greatest norm of the gradients.

    Returns:
        The mean loss, and the ``accuracy`` of average log-probabilities.

    Raises:
        ValueError: The gradient is not finite.
    """
    averages = pair_log_probs(policy, pairs, average=True)
    loss = orpo_loss(*averages, weight=weight).mean()
    return take_step(policy, optimizer, loss, max_norm=max_norm, accuracy=preference_accuracy(*averages))


def simpo_step(
    policy: nn.Module,
    optimizer: torch.optim.Optimizer,
    pairs: AnswerPairs | SharedPrompts,
    *,
    beta: float = 2.0,
    gamma: float = 1.0,
    max_norm: float = 1.0,
) -> StepReport:
    r"""Make one step of SimPO (Meng et al. 2024, arXiv:2405.14734), which needs no reference.

    Args:
        policy: Changed.
        optimizer: Of its parameters, or of its adapters'.
        pairs: Two answers to each prompt.
        beta: Scales the difference.
        gamma: The margin that is asked for.
        max_norm: The greatest norm of the gradients.

    Returns:
        The mean loss, and the ``accuracy`` of average log-probabilities.

    Raises:
        ValueError: The gradient is not finite.
    """
    averages = pair_log_probs(policy, pairs, average=True)
    loss = simpo_loss(*averages, beta=beta, gamma=gamma).mean()
    return take_step(policy, optimizer, loss, max_norm=max_norm, accuracy=preference_accuracy(*averages))
