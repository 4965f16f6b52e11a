"""Hoffmann et al.'s first two approaches: the envelope of training curves, and parabolas at equal FLOP."""

from dataclasses import KW_ONLY, dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from llmcourse.scaling.power_law import PowerLaw, fit_power_law

__all__ = ["Optima", "envelope_optima", "isoflop_optima"]


@dataclass(frozen=True)
class Optima:
    r"""The best model of each budget, and the law through them.

    Attributes:
        flops: The budgets.
        parameters: The best size of each.
        losses: What it reaches.
        law: N as a power of C. A rising power: ``exponent`` of the law is negative, and :attr:`exponent` is minus it.
    """

    _: KW_ONLY
    flops: Float[np.ndarray, " n"]
    parameters: Float[np.ndarray, " n"]
    losses: Float[np.ndarray, " n"]
    law: PowerLaw

    @property
    def exponent(self) -> float:
        """How the best size grows with compute: a of N proportional to C ** a."""
        return -self.law.exponent


def envelope_optima(parameters: ArrayLike, flops: ArrayLike, losses: ArrayLike, *, n_budgets: int = 100) -> Optima:
    r"""Find for many budgets which of several training curves is the lowest there.

    Hoffmann et al. 2022 (arXiv:2203.15556), approach 1. Each curve is interpolated in log C. A point in the middle of a
    run is honest only if the learning rate had come down by then: with a cosine that ends later it is too high.

    Args:
        parameters: The size of the model that each point belongs to; equal sizes are one curve.
        flops: Training FLOP up to each point.
        losses: The loss there.
        n_budgets: How many budgets, evenly spaced in log C, from where the second curve begins to where the last but
            one ends, so that there is a choice everywhere.

    Returns:
        The best size of each budget.

    Raises:
        ValueError: There are fewer than three curves, or they do not overlap.

    Example:
        >>> from llmcourse.scaling import chinchilla_loss
        >>> sizes, tokens = (g.ravel() for g in np.meshgrid(np.logspace(7, 10, 40), np.logspace(8.5, 11.5, 60)))
        >>> found = envelope_optima(sizes, 6 * sizes * tokens, chinchilla_loss(sizes, tokens))
        >>> 0.46 < found.exponent < 0.56
        True
    """
    sizes, budgets, values = _rows(parameters, flops, losses)
    curves = {size: np.flatnonzero(sizes == size) for size in np.unique(sizes)}
    if len(curves) < 3:
        raise ValueError(f"there are {len(curves)} sizes: an envelope needs at least three curves")
    first = np.sort([budgets[points].min() for points in curves.values()])[1]
    last = np.sort([budgets[points].max() for points in curves.values()])[-2]
    if not first < last:
        raise ValueError(f"the curves do not overlap: the second begins at {first:.3g} FLOP, and {last:.3g} is the end")
    grid = np.exp(np.linspace(np.log(first), np.log(last), n_budgets))
    heights = np.stack([_interpolate(grid, budgets[points], values[points]) for points in curves.values()])
    best = np.argmin(heights, axis=0)
    lowest = heights[best, np.arange(n_budgets)]
    return _optima(grid, np.array(list(curves))[best], lowest)


def isoflop_optima(parameters: ArrayLike, flops: ArrayLike, losses: ArrayLike) -> Optima:
    r"""Fit a parabola in log N to the runs of each budget, and take its lowest point.

    Hoffmann et al. 2022 (arXiv:2203.15556), approach 2.

    Args:
        parameters: The size of each run.
        flops: Its budget; runs of budgets within 1% are taken together.
        losses: Its final loss.

    Returns:
        The best size of each budget.

    Raises:
        ValueError: A budget has fewer than three sizes, or its lowest point is not among them: the parabola opens
            downwards, or the smallest or largest model is best, and then one would only be guessing.

    Example:
        >>> from llmcourse.scaling import chinchilla_loss, compute_optimal
        >>> budgets = np.repeat(np.logspace(19, 22, 4), 9)
        >>> sizes = compute_optimal(budgets)[0] * np.tile(np.logspace(-0.5, 0.5, 9), 4)
        >>> found = isoflop_optima(sizes, budgets, chinchilla_loss(sizes, budgets / 6 / sizes))
        >>> round(found.exponent, 3)
        0.513
    """
    sizes, budgets, values = _rows(parameters, flops, losses)
    order = np.argsort(budgets)
    cuts = np.flatnonzero(np.diff(np.log(budgets[order])) > 0.01) + 1
    groups = np.split(order, cuts)
    lowest = [_vertex(budgets[group].mean(), np.log(sizes[group]), values[group]) for group in groups]
    found = np.array(lowest).T
    return _optima(np.array([budgets[group].mean() for group in groups]), np.exp(found[0]), found[1])


def _vertex(budget: float, log_sizes: np.ndarray, losses: np.ndarray) -> tuple[float, float]:
    if np.unique(log_sizes).size < 3:
        raise ValueError(
            f"the budget of {budget:.3g} FLOP has {np.unique(log_sizes).size} sizes: three make a parabola"
        )
    middle = log_sizes.mean()
    bend, slope, level = np.polyfit(log_sizes - middle, losses, 2)
    best = -slope / (2 * bend) + middle if bend > 0 else np.inf
    if not log_sizes.min() <= best <= log_sizes.max():
        raise ValueError(
            f"at {budget:.3g} FLOP the best size is not among those from {np.exp(log_sizes.min()):.3g} to "
            f"{np.exp(log_sizes.max()):.3g}: train smaller or larger models, or leave this budget out"
        )
    return best, level - slope**2 / (4 * bend)


def _interpolate(grid: np.ndarray, budgets: np.ndarray, losses: np.ndarray) -> np.ndarray:
    order = np.argsort(budgets)
    return np.interp(np.log(grid), np.log(budgets[order]), losses[order], left=np.inf, right=np.inf)


def _optima(flops: np.ndarray, parameters: np.ndarray, losses: np.ndarray) -> Optima:
    return Optima(flops=flops, parameters=parameters, losses=losses, law=fit_power_law(flops, parameters))


def _rows(*values: ArrayLike) -> list[np.ndarray]:
    rows = [np.asarray(value, np.float64) for value in values]
    if rows[0].ndim != 1 or len({row.shape for row in rows}) != 1 or not all((row > 0).all() for row in rows):
        raise ValueError(f"shapes are {[row.shape for row in rows]}: give rows of equal length, of numbers above 0")
    return rows
