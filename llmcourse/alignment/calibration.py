"""Whether a reward model that is 80% sure of a comparison is right in 80% of them."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from llmcourse.alignment.operands import operands

__all__ = ["Calibration", "calibration"]


class Calibration(NamedTuple):
    """A reliability diagram as numbers, and their summary.

    Attributes:
        confidence: The mean probability that the model gave to the answer it prefers, for each bin that holds a pair.
        accuracy: In which share of that bin's pairs people preferred the same one.
        n_pairs: How many pairs are in it.
        error: The expected calibration error: the mean distance of the two, each pair counting once.
    """

    confidence: Float[Tensor, " bins"]
    accuracy: Float[Tensor, " bins"]
    n_pairs: Int[Tensor, " bins"]
    error: float


def calibration(chosen: Float[Tensor, " B"], rejected: Float[Tensor, " B"], *, n_bins: int = 10) -> Calibration:
    r"""Compare how sure a reward model is of comparisons with how often it is right.

    Guo et al. 2017 (arXiv:1706.04599), section 2, of Bradley and Terry's probabilities. The model's confidence in the
    answer that it prefers is from 1/2 to 1, which is cut into equal bins.

    Args:
        chosen: Rewards of the preferred answers.
        rejected: Those of the others.
        n_bins: How many bins.

    Returns:
        Bins in order of confidence, without those that hold no pair. A tie is right by half.

    Raises:
        ValueError: Shapes differ, there is no pair, or ``n_bins`` is below 1.

    Example:
        >>> even = torch.tensor([0.5, 0.8]).logit()  # the model's odds
        >>> calibration(even.repeat(5), torch.zeros(10), n_bins=2).confidence
        tensor([0.5000, 0.8000], dtype=torch.float64)
    """
    chosen, rejected = operands(chosen=chosen, rejected=rejected)
    if not chosen.numel() or n_bins < 1:
        raise ValueError(f"there are {chosen.numel()} pairs and {n_bins} bins: give at least one of each")
    difference = (chosen - rejected).detach().double().flatten()
    sure = difference.abs().sigmoid()
    right = torch.where(difference == 0, 0.5, (difference > 0).double())
    place = ((sure - 0.5) * 2 * n_bins).long().clamp(max=n_bins - 1)
    count = torch.bincount(place, minlength=n_bins)
    held = count > 0
    sums = [torch.bincount(place, weights=one, minlength=n_bins)[held] for one in (sure, right)]
    confidence, accuracy = (total / count[held] for total in sums)
    error = float(((confidence - accuracy).abs() * count[held]).sum() / count.sum())
    return Calibration(confidence, accuracy, count[held], error)
