"""Kaplan's laws: what one resource gives while the others are no bottleneck."""

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["kaplan_compute_loss", "kaplan_data_loss", "kaplan_loss", "kaplan_parameter_loss"]

_ALPHA_N, _N_C = 0.076, 8.8e13  # non-embedding parameters
_ALPHA_D, _D_C = 0.095, 5.4e13  # tokens
_ALPHA_C, _C_C = 0.050, 3.1e8  # PF-days, spent as well as can be
_PF_DAY = 1e15 * 86_400


def kaplan_parameter_loss(non_embedding: ArrayLike) -> np.ndarray:
    r"""Return the loss of a model of this size, trained to convergence on as much data as it can use.

    Kaplan et al. 2020 (arXiv:2001.08361), equation 1.1: L(N) = (N_c / N)^0.076. A power law *multiplies*: ten times as
    many parameters multiply the loss by 10^-0.076 = 0.839, whatever it was. It does not subtract a fixed amount.

    Args:
        non_embedding: N, parameters without embeddings.

    Returns:
        Nats a token.

    Example:
        >>> losses = kaplan_parameter_loss([1e8, 1e9, 1e10])
        >>> losses[1:] / losses[:-1]
        array([0.83945999, 0.83945999])
    """
    return (_N_C / _positive("non_embedding", non_embedding)) ** _ALPHA_N


def kaplan_data_loss(tokens: ArrayLike) -> np.ndarray:
    r"""Return the loss of a model as large as it has to be, stopped early on so many tokens (equation 1.2).

    Args:
        tokens: D.

    Returns:
        Nats a token.

    Example:
        >>> float(kaplan_data_loss(5.4e13))
        1.0
    """
    return (_D_C / _positive("tokens", tokens)) ** _ALPHA_D


def kaplan_compute_loss(flops: ArrayLike) -> np.ndarray:
    r"""Return the loss for a budget that is spent as well as can be (equation 1.3).

    Args:
        flops: Training FLOP without those of the embeddings; the paper's unit, a PF-day, is 8.64e19 of them.

    Returns:
        Nats a token.

    Example:
        >>> round(float(kaplan_compute_loss(8.64e19)), 3)
        2.658
    """
    return (_C_C / (_positive("flops", flops) / _PF_DAY)) ** _ALPHA_C


def kaplan_loss(non_embedding: ArrayLike, tokens: ArrayLike) -> np.ndarray:
    r"""Return the loss where both size and data are limited (equation 1.5).

    L(N, D) = ((N_c / N)^(alpha_N / alpha_D) + D_c / D)^alpha_D, which is the law of N or of D where the other is
    plenty, and higher than both where neither is.

    Args:
        non_embedding: N, parameters without embeddings.
        tokens: D.

    Returns:
        Nats a token.

    Example:
        >>> bool(kaplan_loss(1e9, 1e10) > max(kaplan_parameter_loss(1e9), kaplan_data_loss(1e10)))
        True
    """
    from_size = (_N_C / _positive("non_embedding", non_embedding)) ** (_ALPHA_N / _ALPHA_D)
    return (from_size + _D_C / _positive("tokens", tokens)) ** _ALPHA_D


def _positive(name: str, value: ArrayLike) -> np.ndarray:
    array = np.asarray(value, dtype=np.float64)
    if not (array > 0).all():
        raise ValueError(f"{name} is {value}: it has to be greater than 0")
    return array
