"""ORPO: fine-tuning on the chosen answer, and the odds of the two answers, with no reference model."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from llmcourse.alignment.operands import operands

__all__ = ["log_odds", "orpo_loss"]


def orpo_loss(
    chosen_average: Float[Tensor, " B"], rejected_average: Float[Tensor, " B"], *, weight: float = 0.1
) -> Float[Tensor, " B"]:
    r"""Return the loss of each pair.

    Hong et al. 2024 (arXiv:2403.07691), equations 6 and 7: the negative log-likelihood of the chosen answer, plus
    lambda times -log sigmoid(log(odds(y_w) / odds(y_l))). Its lambda is ``weight``. Both parts take the **average**
    log-probability of a token.

    Args:
        chosen_average: Average log-probabilities of the preferred answers, at most 0.
        rejected_average: Those of the others.
        weight: Of the odds' part.

    Returns:
        Nats, in fp32 at least.

    Raises:
        ValueError: Shapes differ; quotes them.

    Example:
        >>> even = torch.tensor([0.5]).log()
        >>> orpo_loss(even, even)  # 1.1 ln 2
        tensor([0.7625])
    """
    chosen_average, rejected_average = operands(chosen_average=chosen_average, rejected_average=rejected_average)
    return -chosen_average - weight * F.logsigmoid(log_odds(chosen_average) - log_odds(rejected_average))


def log_odds(log_probability: Float[Tensor, " B"]) -> Float[Tensor, " B"]:
    r"""Return log(p / (1 - p)) of a logarithm of p.

    The digits of 1 - p are lost where p is near 1, and ``expm1`` has them. Odds of what is certain are infinite; they
    are cut where the number format ends, so that a difference of two of them is a number.

    Args:
        log_probability: At most 0.

    Returns:
        Nats.

    Example:
        >>> log_odds(torch.tensor([0.8, 0.5]).log())
        tensor([1.3863, 0.0000])
    """
    below = log_probability.clamp(max=-torch.finfo(log_probability.dtype).tiny)
    return below - torch.log(-torch.expm1(below))
