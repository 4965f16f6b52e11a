"""Bradley and Terry's model of a comparison, and what a reward model is trained and judged by."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from llmcourse.alignment.operands import operands

__all__ = ["bradley_terry_loss", "centering_loss", "preference_accuracy"]


def bradley_terry_loss(
    chosen: Float[Tensor, " B"], rejected: Float[Tensor, " B"], *, margin: float | Float[Tensor, " B"] = 0.0
) -> Float[Tensor, " B"]:
    r"""Return minus the log-probability that the chosen answer wins, for each pair.

    Bradley & Terry 1952: an answer of reward r beats one of reward r' with probability sigmoid(r - r'). InstructGPT
    (Ouyang et al. 2022, arXiv:2203.02155, equation 1) trains reward models by it; the margin is Llama 2's (Touvron et
    al. 2023, arXiv:2307.09288, equation 2), larger for pairs whose answers differ more.

    Args:
        chosen: Rewards of the preferred answers.
        rejected: Those of the others.
        margin: By how much the reward of the chosen answer should be greater; one for all, or one for each pair.

    Returns:
        -log sigmoid(chosen - rejected - margin), in nats and in fp32 at least. Its derivative with respect to
        ``chosen`` is sigmoid(chosen - rejected - margin) - 1: a pair that is right by far teaches nothing.

    Raises:
        ValueError: Shapes differ; quotes them.

    Example:
        >>> bradley_terry_loss(torch.tensor([1.0, -1000.0]), torch.tensor([1.0, 0.0]))  # ln 2, and no overflow
        tensor([6.9315e-01, 1.0000e+03])
    """
    chosen, rejected = operands(chosen=chosen, rejected=rejected)
    if isinstance(margin, Tensor) and margin.ndim:
        (_, margin) = operands(chosen=chosen, margin=margin)
    return -F.logsigmoid(chosen - rejected - margin)


def centering_loss(
    chosen: Float[Tensor, " B"], rejected: Float[Tensor, " B"], *, weight: float = 0.01
) -> Float[Tensor, " B"]:
    r"""Return what is added to the loss so that rewards stay around 0.

    A comparison does not see a number added to both rewards, so nothing else holds their level, which PPO's value
    function then has to learn (Eisenstein et al. 2023, arXiv:2312.09244, section 3).

    Args:
        chosen: Rewards of the preferred answers.
        rejected: Those of the others.
        weight: The paper's eta.

    Returns:
        weight * (chosen + rejected) ** 2.

    Raises:
        ValueError: Shapes differ; quotes them.

    Example:
        >>> centering_loss(torch.tensor([1.0, 2.0]), torch.tensor([-1.0, 3.0]), weight=1.0)
        tensor([ 0., 25.])
    """
    chosen, rejected = operands(chosen=chosen, rejected=rejected)
    return weight * (chosen + rejected).square()


def preference_accuracy(chosen: Float[Tensor, " B"], rejected: Float[Tensor, " B"]) -> float:
    r"""Return in which share of the pairs the chosen answer has the greater reward.

    Args:
        chosen: Rewards of the preferred answers.
        rejected: Those of the others.

    Returns:
        From 0 to 1; ties do not count, since a model that gives all answers one reward has learnt nothing.

    Raises:
        ValueError: Shapes differ, or there is no pair.

    Example:
        >>> preference_accuracy(torch.tensor([1.0, 2.0, 0.0, 3.0]), torch.tensor([0.0, 2.0, 1.0, 1.0]))
        0.5
    """
    chosen, rejected = operands(chosen=chosen, rejected=rejected)
    if not chosen.numel():
        raise ValueError(f"chosen is {tuple(chosen.shape)}: there is no share of no pairs, give at least one")
    return float((chosen > rejected).to(torch.float64).mean())
