"""Fitting a power law, with and without a floor under it."""

from dataclasses import KW_ONLY, dataclass

import numpy as np
from numpy.typing import ArrayLike

from llmcourse.scaling.lbfgs import minimize
from llmcourse.scaling.log_sum_law import LogSumLaw

__all__ = ["PowerLaw", "fit_power_law"]


@dataclass(frozen=True)
class PowerLaw:
    r"""y = irreducible + coefficient * x ** -exponent.

    Attributes:
        coefficient: At x = 1.
        exponent: Positive for a law that falls.
        irreducible: What y approaches.
    """

    _: KW_ONLY
    coefficient: float
    exponent: float
    irreducible: float = 0.0

    def __call__(self, x: ArrayLike) -> np.ndarray:
        """Return y.

        Args:
            x: Positive numbers.

        Returns:
            An array of the same shape.
        """
        return self.irreducible + self.coefficient * np.asarray(x, np.float64) ** -self.exponent


def fit_power_law(x: ArrayLike, y: ArrayLike, *, irreducible: bool = False) -> PowerLaw:
    r"""Fit a power law by least squares of log y.

    Without a floor, log y is a straight line in log x, whose slope is minus the exponent. With one it is not: a line
    through the logarithms of *total* losses has too small an exponent, the more so the nearer the losses are to their
    floor. The floor, the coefficient and the exponent are then fitted together, from several starts.

    Args:
        x: Sizes, tokens or FLOP.
        y: Losses, or whatever falls (or rises) as a power.
        irreducible: Whether there is a floor; if so, y has to fall.

    Returns:
        The law.

    Raises:
        ValueError: Shapes differ, a number is not positive, or there are fewer points than the law has numbers.

    Example:
        >>> x = np.array([1e6, 1e7, 1e8, 1e9])
        >>> law = fit_power_law(x, 2 + 50 * x**-0.3, irreducible=True)
        >>> round(law.irreducible, 4), round(law.coefficient, 2), round(law.exponent, 4)
        (2.0, 50.0, 0.3)
        >>> fit_power_law(x, 2 + 50 * x**-0.3).exponent < 0.05
        True
    """
    log_x, log_y = _logs(x, y, least=3 if irreducible else 2)
    middle = log_x.mean()
    design = np.stack([np.ones_like(log_x), -(log_x - middle)], axis=1)
    level, exponent = np.linalg.lstsq(design, log_y)[0]
    if not irreducible:
        return PowerLaw(coefficient=float(np.exp(level + exponent * middle)), exponent=float(exponent))
    # Squares: Huber's line is never reached.
    law = LogSumLaw((log_x - middle)[None], log_y, np.ones((48, log_x.size)), np.inf, True)
    points, values = minimize(law, _starts(log_x - middle, log_y), max_steps=30)
    points, values = minimize(law, points[np.argsort(values)[:4]], max_steps=1000, tolerance=1e-14)
    level, exponent, floor = points[np.argmin(values)]
    return PowerLaw(
        coefficient=float(np.exp(level + exponent * middle)), exponent=float(exponent), irreducible=float(np.exp(floor))
    )


def _starts(log_x: np.ndarray, log_y: np.ndarray) -> np.ndarray:
    """Return guesses: for each of 48 floors below the least y, the line through what is above it."""
    y, found = np.exp(log_y), []
    for floor in y.min() * np.linspace(0.02, 0.98, 48):
        slope, level = np.polyfit(log_x, np.log(y - floor), 1)
        found.append([level, -slope, np.log(floor)])
    return np.array(found)


def _logs(x: ArrayLike, y: ArrayLike, *, least: int) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.ndim != 1 or x.shape != y.shape or len(np.unique(x)) < least:
        raise ValueError(f"x has shape {x.shape} and y {y.shape}: give two rows of at least {least} different points")
    if not ((x > 0) & (y > 0) & np.isfinite(x) & np.isfinite(y)).all():
        raise ValueError(f"x goes from {x.min()} and y from {y.min()}: a power law needs finite numbers above 0")
    return np.log(x), np.log(y)
