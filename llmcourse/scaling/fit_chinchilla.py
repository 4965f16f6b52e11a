"""Fitting Chinchilla's law to runs: approach 3, with bootstrap intervals."""

import itertools

import numpy as np
from numpy.typing import ArrayLike

from llmcourse.scaling.chinchilla import ChinchillaFit
from llmcourse.scaling.lbfgs import Objective, minimize
from llmcourse.scaling.log_sum_law import LogSumLaw

__all__ = ["fit_chinchilla"]

_SCOUTING_STEPS, _KEPT = 20, 24  # of all starts, those that go on


def fit_chinchilla(
    parameters: ArrayLike,
    tokens: ArrayLike,
    losses: ArrayLike,
    *,
    delta: float = 1e-3,
    bootstraps: int = 0,
    seed: int = 0,
) -> ChinchillaFit:
    r"""Fit L(N, D) = E + A / N^alpha + B / D^beta.

    Hoffmann et al. 2022 (arXiv:2203.15556), approach 3: Huber's loss of log L with delta = 1e-3, which keeps single
    bad runs from bending the law, minimised by L-BFGS from a grid of starts. Besiroglu et al. 2024 (arXiv:2404.10102)
    found the published fit stopped before it had converged, since the *mean* of so small a loss falls under the
    optimizer's tolerance; here the sum is minimised until a step changes it by less than one part in 10^12.

    Args:
        parameters: N of each run.
        tokens: D of each run.
        losses: Its final loss, in nats a token.
        delta: Of log L, so that 1e-3 is a tenth of a percent.
        bootstraps: How many times to fit runs drawn with replacement, for intervals.
        seed: Of the bootstraps.

    Returns:
        The law; with ``bootstraps`` it has intervals.

    Raises:
        ValueError: Shapes differ, a number is not positive, or there are too few different sizes or lengths to tell the
            five numbers apart.

    Cost: seconds for a thousand bootstraps of some tens of runs, since all problems step together.

    Example:
        >>> from llmcourse.scaling import chinchilla_loss
        >>> parameters, tokens = (grid.ravel() for grid in np.meshgrid(np.logspace(7, 10, 5), np.logspace(9, 12, 5)))
        >>> fit = fit_chinchilla(parameters, tokens, chinchilla_loss(parameters, tokens))
        >>> round(fit.E, 3), round(fit.alpha, 3), round(fit.beta, 3)
        (1.817, 0.348, 0.366)
    """
    log_inputs, log_losses = _logs(parameters, tokens, losses)
    middle = log_inputs.mean(1, keepdims=True)
    law = LogSumLaw(log_inputs - middle, log_losses, np.ones((1, log_losses.size)), delta, True)
    starts = _grid(log_losses)
    scouts, values = minimize(_shared(law), starts, max_steps=_SCOUTING_STEPS)
    best = scouts[np.argsort(values)[:_KEPT]]
    found, values = minimize(_shared(law), best, max_steps=3000)
    found = found[np.argsort(values)]
    samples = _bootstrap(law, found[:2], bootstraps, seed) if bootstraps else np.empty((0, 5))
    named = _named(found[:1], middle.ravel())
    source = f"fitted to {log_losses.size} runs"
    numbers = {name: float(values[0]) for name, values in named.items() if name != "exponent"}
    return ChinchillaFit(**numbers, source=source, bootstraps=_named(samples, middle.ravel()) if bootstraps else {})


def _bootstrap(law: LogSumLaw, starts: np.ndarray, bootstraps: int, seed: int) -> np.ndarray:
    """Fit each resampling from the best fits to all runs, and keep the better end."""
    n = law.log_losses.size
    weights = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=bootstraps).astype(np.float64)
    resampled = LogSumLaw(law.log_inputs, law.log_losses, weights, law.delta, True)
    ends = [minimize(resampled, np.tile(start, (bootstraps, 1)), max_steps=1000) for start in starts]
    better = np.argmin([values for _, values in ends], axis=0)
    return np.stack([points for points, _ in ends])[better, np.arange(bootstraps)]


def _shared(law: LogSumLaw) -> Objective:
    """Return the objective of one problem for any number of points."""
    return lambda points, which: law(points, np.zeros(len(points), np.int64))


def _grid(log_losses: np.ndarray) -> np.ndarray:
    """Return starts: how much of the middle loss each of the three terms is, times exponents."""
    level = np.median(log_losses)
    shares = [(e, (1 - e) * n, (1 - e) * (1 - n)) for e in (0.2, 0.5, 0.8, 0.95) for n in (0.1, 0.5, 0.9)]
    exponents = list(itertools.product((0.1, 0.3, 0.6, 1.0, 1.5), repeat=2))
    return np.array(
        [
            [level + np.log(n), alpha, level + np.log(d), beta, level + np.log(e)]
            for (e, n, d), (alpha, beta) in itertools.product(shares, exponents)
        ]
    )


def _named(points: np.ndarray, middle: np.ndarray) -> dict[str, np.ndarray]:
    """Return the law's numbers from points whose logarithms were taken from their means."""
    a, alpha, b, beta, e = points.T
    named = {"E": np.exp(e), "A": np.exp(a + alpha * middle[0]), "B": np.exp(b + beta * middle[1])}
    return named | {"alpha": alpha, "beta": beta, "exponent": beta / (alpha + beta)}


def _logs(parameters: ArrayLike, tokens: ArrayLike, losses: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    n, d, losses = (np.asarray(values, np.float64) for values in (parameters, tokens, losses))
    if n.ndim != 1 or not n.shape == d.shape == losses.shape:
        raise ValueError(f"shapes are {n.shape}, {d.shape} and {losses.shape}: give one row each, of equal length")
    if not all((values > 0).all() and np.isfinite(values).all() for values in (n, d, losses)):
        raise ValueError("a size, a number of tokens or a loss is not a finite number above 0: leave that run out")
    if n.size < 6 or min(np.unique(n).size, np.unique(d).size) < 3:
        raise ValueError(
            f"{n.size} runs of {np.unique(n).size} sizes on {np.unique(d).size} lengths do not settle five numbers: "
            "give at least six runs, three sizes and three lengths"
        )
    return np.log(np.stack([n, d])), np.log(losses)
