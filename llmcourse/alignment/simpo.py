"""SimPO: the average log-probability is the reward, and there is no reference model."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from llmcourse.alignment.operands import operands

__all__ = ["simpo_loss"]


def simpo_loss(
    chosen_average: Float[Tensor, " B"], rejected_average: Float[Tensor, " B"], *, beta: float = 2.0, gamma: float = 1.0
) -> Float[Tensor, " B"]:
    r"""Return the loss of each pair.

    Meng et al. 2024 (arXiv:2405.14734), equation 6: -log sigmoid(beta (a_w - a_l) - gamma), with a the **average**
    log-probability of a token, which is what generation goes by. A sum would make a long answer unlikely whatever
    stands in it, and DPO's ratio of sums lets it grow; the average takes the length out.

    Args:
        chosen_average: Average log-probabilities of the preferred answers.
        rejected_average: Those of the others.
        beta: Scales the difference.
        gamma: The margin that is asked for; not multiplied by ``beta``.

    Returns:
        Nats, in fp32 at least.

    Raises:
        ValueError: Shapes differ; quotes them.

    Example:
        >>> import torch
        >>> simpo_loss(torch.tensor([-1.0]), torch.tensor([-1.5]))  # ln 2: just the margin
        tensor([0.6931])
    """
    chosen_average, rejected_average = operands(chosen_average=chosen_average, rejected_average=rejected_average)
    return -F.logsigmoid(beta * (chosen_average - rejected_average) - gamma)
