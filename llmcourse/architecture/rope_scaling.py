"""How RoPE's frequencies change when a model is to read further than it was first trained: a registry.

A scaling is a function that takes the frequencies and the options of a configuration, and returns new frequencies and
the factor that multiplies queries and keys. "linear" and "llama3" stand here; longer contexts have a chapter of their
own, and ``llmcourse.emerging`` registers "yarn" and "ntk" when it is imported.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["ROPE_SCALINGS", "find_rope_scaling", "register_rope_scaling", "scale_frequencies"]

Scaling = Callable[[Tensor, Mapping[str, Any]], tuple[Tensor, float]]

ROPE_SCALINGS: dict[str, Scaling] = {}


def register_rope_scaling(name: str) -> Callable[[Scaling], Scaling]:
    r"""Return a decorator that enters a scaling under a name.

    Args:
        name: What ``rope_scaling["type"]`` says in a configuration.

    Returns:
        A decorator, which returns its function as it is.

    Example:
        >>> "llama3" in ROPE_SCALINGS
        True
    """

    def enter(scaling: Scaling) -> Scaling:
        ROPE_SCALINGS[name] = scaling
        return scaling

    return enter


def scale_frequencies(
    frequencies: Float[Tensor, "pairs"], scaling: Mapping[str, Any] | None, *, theta: float
) -> tuple[Float[Tensor, "pairs"], float]:
    r"""Apply the scaling of a configuration.

    Args:
        frequencies: Radians that each pair turns by from one token to the next.
        scaling: ``{"type": name, ...}`` with that scaling's options; None leaves all as it is.
        theta: The base that the frequencies were made with; a scaling finds it among its options as "theta".

    Returns:
        Frequencies, and the factor that multiplies queries and keys each.

    Raises:
        ValueError: The type is unknown, or an option is missing.

    Example:
        >>> scale_frequencies(torch.tensor([1.0, 0.1]), {"type": "linear", "factor": 2.0}, theta=100.0)
        (tensor([0.5000, 0.0500]), 1.0)
    """
    if scaling is None:
        return frequencies, 1.0
    return find_rope_scaling(scaling["type"])(frequencies, {**scaling, "theta": theta})


def find_rope_scaling(name: str) -> Scaling:
    """Return the scaling of a name; raise ValueError, which says what to import, where there is none."""
    if name not in ROPE_SCALINGS:
        known = ", ".join(map(repr, sorted(ROPE_SCALINGS)))
        raise ValueError(
            f"rope_scaling type {name!r} is unknown among {known}: "
            "import llmcourse.emerging, which registers 'yarn' and 'ntk', or register it with register_rope_scaling"
        )
    return ROPE_SCALINGS[name]


@register_rope_scaling("linear")
def _linear(frequencies: Tensor, options: Mapping[str, Any]) -> tuple[Tensor, float]:
    """Position interpolation (Chen et al. 2023, arXiv:2306.15595): all pairs turn more slowly by one factor."""
    (factor,) = _options(options, "factor")
    return frequencies / factor, 1.0


@register_rope_scaling("llama3")
def _llama3(frequencies: Tensor, options: Mapping[str, Any]) -> tuple[Tensor, float]:
    """Slow only the pairs that turn slowly (Llama 3.1's released code; The Llama 3 Herd, arXiv:2407.21783).

    A pair with a wavelength below original / high_freq_factor tokens has gone round many times within the context of
    the first training: it stays. One above original / low_freq_factor has never gone round: it is slowed by the whole
    factor. Between them the two blend.
    """
    factor, original, low, high = _options(
        options, "factor", "original_max_position_embeddings", "low_freq_factor", "high_freq_factor"
    )
    if not high > low:
        raise ValueError(f"high_freq_factor is {high} and low_freq_factor {low}: the first has to be the greater")
    turns = original * frequencies / (2 * math.pi)
    kept = ((turns - low) / (high - low)).clamp(0, 1)
    return torch.lerp(frequencies / factor, frequencies, kept), 1.0


def _options(options: Mapping[str, Any], *names: str) -> list[float]:
    """Return the options that a scaling has; refuse others, and values that are no numbers above 0."""
    kind = options["type"]
    for name in set(options) - set(names) - {"type", "theta"}:
        raise ValueError(f"rope_scaling {kind!r} has no option {name!r} ({options[name]!r}): it has {', '.join(names)}")
    for name in names:
        value = options.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool) or not value > 0:
            raise ValueError(f"rope_scaling {kind!r} needs {name!r} greater than 0, and has {value!r}")
    return [options[name] for name in names]
