"""Chinchilla's law, the constants that were published for it, and what it says of a budget."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field

import numpy as np
from numpy.typing import ArrayLike

__all__ = [
    "EPOCH_REFIT",
    "HOFFMANN_ROUNDED",
    "HOFFMANN_TEX",
    "ChinchillaFit",
    "chinchilla_loss",
    "compute_optimal",
]


@dataclass(frozen=True)
class ChinchillaFit:
    r"""The five numbers of L(N, D) = E + A / N^alpha + B / D^beta.

    Attributes:
        E: What no model and no text can undercut: the entropy of the language, in nats a token.
        A: Of what a model of finite size loses.
        B: Of what finite data lose.
        alpha: How fast size helps.
        beta: How fast data help.
        source: Where they come from.
        bootstraps: For a fit, each parameter's values over resampled runs, by name; else empty.

    Raises:
        ValueError: A number is not positive (E may be 0).
    """

    _: KW_ONLY
    E: float
    A: float
    B: float
    alpha: float
    beta: float
    source: str = ""
    bootstraps: Mapping[str, np.ndarray] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("A", "B", "alpha", "beta"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}: it has to be greater than 0")
        if not self.E >= 0:
            raise ValueError(f"E is {self.E}: it has to be at least 0")

    def interval(self, name: str, *, confidence: float = 0.95) -> tuple[float, float]:
        r"""Return the bootstrap percentile interval of a parameter.

        Args:
            name: ``"E"``, ``"A"``, ``"B"``, ``"alpha"``, ``"beta"`` or ``"exponent"``, that of the optimal size.
            confidence: How often such an interval holds the truth.

        Returns:
            Its two ends.

        Raises:
            ValueError: There are no bootstraps, or the name is unknown.
        """
        if name not in self.bootstraps:
            raise ValueError(f"there are no bootstraps of {name!r}: fit with bootstraps=1000, and choose a parameter")
        low, high = np.quantile(self.bootstraps[name], [(1 - confidence) / 2, (1 + confidence) / 2])
        return float(low), float(high)

    @property
    def exponent(self) -> float:
        """How the optimal size grows with compute: N is proportional to C ** (beta / (alpha + beta))."""
        return self.beta / (self.alpha + self.beta)


HOFFMANN_ROUNDED = ChinchillaFit(
    E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28, source="Hoffmann et al. 2022, arXiv:2203.15556, as printed"
)
"""The constants in the paper's text. Rounded so that they contradict its own 20 tokens per parameter: see the refit."""

HOFFMANN_TEX = ChinchillaFit(
    E=1.6934,
    A=406.4,
    B=410.7,
    alpha=0.3392,
    beta=0.2849,
    source="Hoffmann et al. 2022, arXiv:2203.15556, with the digits of its TeX source (see arXiv:2404.10102)",
)
"""The same before rounding: E and the exponents have the digits that the paper's TeX source holds."""

EPOCH_REFIT = ChinchillaFit(
    E=1.8172, A=482.01, B=2085.43, alpha=0.3478, beta=0.3658, source="Besiroglu et al. 2024, arXiv:2404.10102"
)
"""Refitted to the runs that can be read off the paper's figures; agrees with the paper's other two approaches."""


def chinchilla_loss(parameters: ArrayLike, tokens: ArrayLike, *, fit: ChinchillaFit = EPOCH_REFIT) -> np.ndarray:
    r"""Return the loss of a model of N parameters trained on D tokens, each seen once.

    Hoffmann et al. 2022 (arXiv:2203.15556), approach 3: L(N, D) = E + A / N^alpha + B / D^beta.

    Args:
        parameters: N, embeddings among them.
        tokens: D.
        fit: The five constants.

    Returns:
        Nats a token, of the shape that both arguments have together.

    Raises:
        ValueError: A number is not positive.

    Example:
        >>> round(float(chinchilla_loss(70e9, 1.4e12)), 4)
        1.9739
    """
    parameters, tokens = np.asarray(parameters, np.float64), np.asarray(tokens, np.float64)
    if not ((parameters > 0).all() and (tokens > 0).all()):
        raise ValueError(f"parameters is {parameters} and tokens {tokens}: both have to be greater than 0")
    return fit.E + fit.A * parameters**-fit.alpha + fit.B * tokens**-fit.beta


def compute_optimal(flops: ArrayLike, *, fit: ChinchillaFit = EPOCH_REFIT) -> tuple[np.ndarray, np.ndarray]:
    r"""Split a budget between size and data so that the loss is least, with C = 6 N D.

    Hoffmann et al. 2022 (arXiv:2203.15556), approach 3: at the optimum, alpha A / N^alpha = beta B / D^beta, which
    gives N = G (C / 6)^(beta / (alpha + beta)) and D = C / (6 N), with G = (alpha A / (beta B))^(1 / (alpha + beta)).

    Args:
        flops: C, training FLOP.
        fit: The constants. The rounded ones of the paper give 93 tokens per parameter at the budget of Chinchilla
            itself, in place of 20.

    Returns:
        Parameters and tokens, each of the shape of ``flops``.

    Raises:
        ValueError: The budget is not positive.

    Example:
        >>> parameters, tokens = compute_optimal(5.76e23)
        >>> f"{parameters:.3g} parameters, {tokens / parameters:.1f} tokens for each"
        '7.22e+10 parameters, 18.4 tokens for each'
    """
    budget = np.asarray(flops, np.float64) / 6
    if not (budget > 0).all():
        raise ValueError(f"flops is {flops}: it has to be greater than 0")
    scale = (fit.alpha * fit.A / (fit.beta * fit.B)) ** (1 / (fit.alpha + fit.beta))
    parameters = scale * budget**fit.exponent
    return parameters, budget / parameters
