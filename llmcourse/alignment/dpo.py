"""Direct preference optimisation: a policy learns from comparisons with no reward model in between."""

from typing import Literal

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from llmcourse.alignment.bradley_terry import preference_accuracy
from llmcourse.alignment.operands import operands

__all__ = ["dpo_loss", "implicit_rewards", "reward_accuracy"]


def dpo_loss(
    policy_chosen: Float[Tensor, " B"],
    policy_rejected: Float[Tensor, " B"],
    reference_chosen: Float[Tensor, " B"],
    reference_rejected: Float[Tensor, " B"],
    *,
    beta: float = 0.1,
    label_smoothing: float = 0.0,
    variant: Literal["sigmoid", "ipo"] = "sigmoid",
) -> Float[Tensor, " B"]:
    r"""Return the loss of each pair, from four log-probabilities of answers.

    Rafailov et al. 2023 (arXiv:2305.18290), equation 7: -log sigmoid(beta h) with h = log(pi(y_w) / ref(y_w)) -
    log(pi(y_l) / ref(y_l)). The policy that maximises reward less beta times the KL to the reference has a reward of
    beta log(pi / ref) up to what depends on the prompt alone; Bradley and Terry's loss on that reward is this one.
    **The greater beta, the nearer the policy stays to the reference.**

    Once the pairs are all told apart nothing stops that loss from driving h on, whatever beta is. IPO (Azar et al.
    2023, arXiv:2310.12036, equation 17) asks for a margin instead: (h - 1 / (2 beta))^2, its tau being ``beta``.
    Label smoothing (Mitchell 2023, "A note on DPO with noisy preferences") takes each comparison to be the wrong way
    round with that probability, and then has a finite margin too.

    Args:
        policy_chosen: Log-probabilities of the preferred answers under the model, in nats: **sums** over tokens for
            "sigmoid", **averages** for "ipo", as TRL has them.
        policy_rejected: Those of the others.
        reference_chosen: Of the preferred answers under the reference, which is frozen: no gradient goes there.
        reference_rejected: Of the others.
        beta: How near to the reference the policy stays; above 0.
        label_smoothing: From 0 to less than 1/2; for "sigmoid" alone.
        variant: "sigmoid" is DPO.

    Returns:
        Not reduced, in fp32 at least. Before the first step, where both models are the same, ln 2 for "sigmoid".

    Raises:
        ValueError: Shapes differ, or a setting is out of its range; quotes it.

    Example:
        >>> import torch
        >>> same = torch.tensor([-4.0])
        >>> dpo_loss(same, same - 3, same, same - 3)
        tensor([0.6931])
    """
    _check(beta, label_smoothing, variant)
    policy_chosen, policy_rejected, reference_chosen, reference_rejected = operands(
        policy_chosen=policy_chosen,
        policy_rejected=policy_rejected,
        reference_chosen=reference_chosen.detach(),
        reference_rejected=reference_rejected.detach(),
    )
    margin = (policy_chosen - reference_chosen) - (policy_rejected - reference_rejected)
    if variant == "ipo":
        return (margin - 1 / (2 * beta)).square()
    loss = -F.logsigmoid(beta * margin)
    if label_smoothing:
        loss = (1 - label_smoothing) * loss - label_smoothing * F.logsigmoid(-beta * margin)
    return loss


def implicit_rewards(
    policy: Float[Tensor, " B"], reference: Float[Tensor, " B"], *, beta: float = 0.1
) -> Float[Tensor, " B"]:
    r"""Return the rewards for which the policy would be optimal: beta log(pi / ref), up to a number for each prompt.

    Rafailov et al. 2023 (arXiv:2305.18290), equation 5. The difference of two answers to one prompt is a margin.

    Args:
        policy: Log-probabilities of answers under the model.
        reference: Those under the reference.
        beta: As for the loss.

    Returns:
        Rewards without a graph, in fp32 at least.

    Raises:
        ValueError: Shapes differ, or beta is not above 0.

    Example:
        >>> import torch
        >>> implicit_rewards(torch.tensor([-3.0]), torch.tensor([-5.0]), beta=0.5)
        tensor([1.])
    """
    _check(beta, 0.0, "sigmoid")
    policy, reference = operands(policy=policy.detach(), reference=reference.detach())
    return beta * (policy - reference)


def reward_accuracy(
    policy_chosen: Float[Tensor, " B"],
    policy_rejected: Float[Tensor, " B"],
    reference_chosen: Float[Tensor, " B"],
    reference_rejected: Float[Tensor, " B"],
) -> float:
    r"""Return in which share of the pairs the chosen answer has the greater implicit reward.

    Args:
        policy_chosen: Log-probabilities of the preferred answers under the model.
        policy_rejected: Those of the others.
        reference_chosen: Of the preferred answers under the reference.
        reference_rejected: Of the others.

    Returns:
        From 0 to 1; ties do not count, so that before the first step it is 0.

    Raises:
        ValueError: Shapes differ, or there is no pair.

    Example:
        >>> import torch
        >>> reward_accuracy(*torch.tensor([[-1.0, -2.0], [-2.0, -2.0], [-2.0, -2.0], [-2.0, -2.0]]))
        0.5
    """
    return preference_accuracy(
        implicit_rewards(policy_chosen, reference_chosen, beta=1.0),
        implicit_rewards(policy_rejected, reference_rejected, beta=1.0),
    )


def _check(beta: float, label_smoothing: float, variant: str) -> None:
    if not 0 < beta < float("inf"):
        raise ValueError(f"beta is {beta}: give a number above 0, 0.1 for instance")
    if not 0 <= label_smoothing < 0.5:
        raise ValueError(f"label_smoothing is {label_smoothing}: it is a probability from 0 to less than 1/2")
    if variant not in ("sigmoid", "ipo"):
        raise ValueError(f"variant is {variant!r}: choose 'sigmoid' or 'ipo'")
    if variant == "ipo" and label_smoothing:
        raise ValueError(f"label_smoothing is {label_smoothing}, which 'ipo' does not have: leave it out")
