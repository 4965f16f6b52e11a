r"""Why Kaplan found 0.73 where Chinchilla found 0.5: what is counted as a parameter, and at which size.

Pearce & Song 2024 (arXiv:2406.12907). Suppose that Chinchilla's law holds for *total* parameters N_T and compute
6 N_T D. Whoever counts without embeddings sees N and 6 N D with N_T = N + omega N^(1/3), since at a fixed shape the
layers grow as the cube of the width and the embedding as the width itself. Below ten million parameters, more than half
of the decades that Kaplan et al. trained, most of a model is embedding, and the best N seems to grow much faster with
compute than it does in the end.
"""

import numpy as np
from numpy.typing import ArrayLike

from llmcourse.scaling.chinchilla import EPOCH_REFIT, ChinchillaFit
from llmcourse.scaling.power_law import fit_power_law

__all__ = ["apparent_exponent", "embedding_coefficient", "local_exponent", "total_parameters"]


def embedding_coefficient(*, vocab_size: int = 32_000, aspect_ratio: float = 39.2) -> float:
    r"""Return omega of N_T = N + omega N^(1/3).

    With n_layers = d_model / aspect_ratio, N = 12 n_layers d_model^2 gives d_model = (aspect_ratio N / 12)^(1/3), and
    the embedding is vocab_size d_model.

    Args:
        vocab_size: By default that of Chinchilla's tokenizer.
        aspect_ratio: d_model / n_layers; the default is that of the models of Hoffmann et al.

    Returns:
        A coefficient; the paper rounds to 47,491.

    Raises:
        ValueError: A number is not positive.

    Example:
        >>> round(embedding_coefficient())
        47481
    """
    if vocab_size < 1 or not aspect_ratio > 0:
        raise ValueError(f"vocab_size is {vocab_size} and aspect_ratio {aspect_ratio}: both have to be greater than 0")
    return vocab_size * (aspect_ratio / 12) ** (1 / 3)


def total_parameters(non_embedding: ArrayLike, *, omega: float | None = None) -> np.ndarray:
    r"""Return N_T of a model with N parameters outside its embedding.

    Args:
        non_embedding: N.
        omega: From :func:`embedding_coefficient`, whose default it has.

    Returns:
        An array of the same shape.

    Example:
        >>> f"{total_parameters(1e6) / 1e6:.1f} {total_parameters(1e11) / 1e11:.3f}"
        '5.7 1.002'
    """
    n = np.asarray(non_embedding, np.float64)
    return n + (embedding_coefficient() if omega is None else omega) * np.cbrt(n)


def local_exponent(
    non_embedding: ArrayLike, *, fit: ChinchillaFit = EPOCH_REFIT, omega: float | None = None
) -> np.ndarray:
    r"""Return d log N / d log C along the optimum, where both are counted without embeddings.

    At a given C = 6 N D the loss E + A N_T^-alpha + B (C / (6 N))^-beta is least where
    C^beta = 6^beta (beta B / (alpha A)) N^(beta - 1) N_T^(alpha + 1) / N_T'. This is the slope of that curve.

    Args:
        non_embedding: N.
        fit: The law in total parameters.
        omega: As for :func:`total_parameters`.

    Returns:
        The slope at each N: beta / (alpha / 3 + beta) where nearly all is embedding, beta / (alpha + beta) where
        nearly nothing is, and more than both between them.

    Example:
        >>> local_exponent([1e5, 1e13]).round(2)
        array([0.83, 0.51])
    """
    log_n = np.log(np.asarray(non_embedding, np.float64))
    small = 1e-4
    rise = _log_budget(log_n + small, fit, omega) - _log_budget(log_n - small, fit, omega)
    return 2 * small / rise


def apparent_exponent(
    *,
    smallest: float = 768.0,
    largest: float = 1.5e9,
    points: int = 20,
    fit: ChinchillaFit = EPOCH_REFIT,
    omega: float | None = None,
) -> float:
    r"""Return the exponent that a study without embeddings would report: a straight line through the optima.

    Args:
        smallest: The smallest model, in parameters without embeddings; Kaplan et al. (arXiv:2001.08361) trained models
            from 768 of them to 1.5 billion, which are the defaults.
        largest: The largest.
        points: How many sizes between them, evenly spaced in log N.
        fit: The law in total parameters.
        omega: As for :func:`total_parameters`.

    Returns:
        a of N proportional to C ** a.

    Raises:
        ValueError: The sizes are not in order.

    Example:
        >>> f"{apparent_exponent():.2f} {apparent_exponent(smallest=1e12, largest=1e14):.2f}"
        '0.79 0.51'
    """
    if not 0 < smallest < largest:
        raise ValueError(f"smallest is {smallest} and largest {largest}: give two sizes in order")
    sizes = np.geomspace(smallest, largest, points)
    return -fit_power_law(np.exp(_log_budget(np.log(sizes), fit, omega)), sizes).exponent


def _log_budget(log_n: np.ndarray, fit: ChinchillaFit, omega: float | None) -> np.ndarray:
    """Return log C of the budget for which a size is the best."""
    n = np.exp(log_n)
    total = total_parameters(n, omega=omega)
    growth = (1 + 2 * n / total) / 3 * total / n  # dN_T / dN = 1 + omega N^(-2/3) / 3, and omega N^(1/3) = N_T - N
    right = np.log(fit.beta * fit.B / (fit.alpha * fit.A)) + (fit.alpha + 1) * np.log(total) - np.log(growth)
    return np.log(6) + (right + (fit.beta - 1) * log_n) / fit.beta
