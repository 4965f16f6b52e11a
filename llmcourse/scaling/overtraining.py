"""Training a smaller model for longer than is optimal, because it will be used."""

import numpy as np
from numpy.typing import ArrayLike

from llmcourse.scaling.chinchilla import EPOCH_REFIT, ChinchillaFit

__all__ = ["break_even_tokens", "cheapest_for_loss", "overtraining_cost", "tokens_for_loss"]


def overtraining_cost(parameters: ArrayLike, tokens: ArrayLike, inference_tokens: ArrayLike = 0.0) -> np.ndarray:
    r"""Return the FLOP of a model's whole life: 6 N D to train it, and 2 N for each token that it reads or writes.

    Sardana et al. 2023 (arXiv:2401.00448).

    Args:
        parameters: N.
        tokens: D, those it is trained on.
        inference_tokens: Those it will serve.

    Returns:
        FLOP.

    Raises:
        ValueError: A number is negative.

    Example:
        >>> round(float(overtraining_cost(8.03e9, 15e12, 1e14)) / 1e24, 4)
        2.3287
    """
    numbers = [np.asarray(value, np.float64) for value in (parameters, tokens, inference_tokens)]
    if not all((number >= 0).all() for number in numbers):
        raise ValueError(f"parameters, tokens and inference_tokens are {numbers}: none may be negative")
    size, trained, served = numbers
    return 6 * size * trained + 2 * size * served


def tokens_for_loss(parameters: ArrayLike, loss: float, *, fit: ChinchillaFit = EPOCH_REFIT) -> np.ndarray:
    r"""Return how many tokens bring a model of this size to a loss.

    Args:
        parameters: N.
        loss: In nats a token.
        fit: The law.

    Returns:
        Tokens; infinity for a model that is too small ever to get there.

    Raises:
        ValueError: No model gets there: the loss is not above E.

    Example:
        >>> f"{tokens_for_loss(70e9, 1.9739):.3g}"
        '1.4e+12'
    """
    if not loss > fit.E:
        raise ValueError(f"loss is {loss}, and nothing is below E = {fit.E}")
    left = loss - fit.E - fit.A * np.asarray(parameters, np.float64) ** -fit.alpha
    reachable = left > 0
    return np.where(reachable, (fit.B / np.where(reachable, left, 1.0)) ** (1 / fit.beta), np.inf)


def cheapest_for_loss(
    loss: float, inference_tokens: float = 0.0, *, fit: ChinchillaFit = EPOCH_REFIT
) -> tuple[float, float]:
    r"""Return the size and the data that reach a loss for the least FLOP of training and use together.

    With nothing to serve it is the compute-optimal model; the more it serves, the smaller it is and the longer it is
    trained. In u = log N the cost's derivative is 6 N D (1 - alpha A / N^alpha / (beta B / D^beta)) + 2 N D_inference
    (D being what the loss needs), whose sign changes once; it is bisected.

    Args:
        loss: In nats a token.
        inference_tokens: How many tokens the model will serve.
        fit: The law.

    Returns:
        Parameters and tokens.

    Raises:
        ValueError: No model reaches the loss, or inference_tokens is negative.

    Example:
        >>> parameters, tokens = cheapest_for_loss(1.9739)
        >>> used_parameters, used_tokens = cheapest_for_loss(1.9739, inference_tokens=1e13)
        >>> used_parameters < parameters and used_tokens > tokens
        True
    """
    if inference_tokens < 0:
        raise ValueError(f"inference_tokens is {inference_tokens}: it may not be negative")
    tokens_for_loss(1.0, loss, fit=fit)  # refuses what cannot be reached
    # The smallest model that gets there with endless data, and one that is surely too large.
    low = np.log(fit.A / (loss - fit.E)) / fit.alpha
    high = low + 100 / fit.alpha
    for _ in range(200):
        middle = (low + high) / 2
        if _rises(float(np.exp(middle)), loss, inference_tokens, fit):
            high = middle
        else:
            low = middle
    parameters = float(np.exp(high))
    return parameters, float(tokens_for_loss(parameters, loss, fit=fit))


def _rises(parameters: float, loss: float, inference_tokens: float, fit: ChinchillaFit) -> bool:
    """Return whether a larger model would cost more."""
    tokens = float(tokens_for_loss(parameters, loss, fit=fit))
    if not np.isfinite(tokens):
        return False
    ratio = fit.alpha * fit.A * parameters**-fit.alpha / (fit.beta * fit.B * tokens**-fit.beta)
    return 6 * tokens * (1 - ratio) + 2 * inference_tokens > 0


def break_even_tokens(small: tuple[float, float], large: tuple[float, float]) -> float:
    r"""Return how many tokens a small, long-trained model has to serve to have paid for its longer training.

    6 N D + 2 N x is equal for both at x = 3 (N_s D_s - N_l D_l) / (N_l - N_s).

    Args:
        small: Its parameters and tokens.
        large: Those of a larger model of the same loss.

    Returns:
        Tokens; 0 if the small model was not dearer to train either.

    Raises:
        ValueError: The small model is not the smaller one.

    Example:
        >>> break_even_tokens((1e9, 40e9), (2e9, 15e9))
        30000000000.0
    """
    if not 0 < small[0] < large[0]:
        raise ValueError(f"small has {small[0]} parameters and large {large[0]}: give the smaller model first")
    return max(0.0, 3 * (small[0] * small[1] - large[0] * large[1]) / (large[0] - small[0]))
