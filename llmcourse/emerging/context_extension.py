"""Reading further than a model was trained to: RoPE's frequencies interpolated, its base raised, or both by parts.

A pair of features that turns by ``w`` radians a token has gone round ``w * L / (2 pi)`` times at the end of a context
of L tokens. What a model never saw in training are the angles of *slow* pairs, which had not gone round once; fast
pairs tell neighbours apart and should stay as they are. The methods differ in what they do to which pair.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from llmcourse.architecture import register_rope_scaling, rope_frequencies

__all__ = [
    "dynamic_ntk_theta",
    "interpolated_frequencies",
    "ntk_scaled_theta",
    "yarn_attention_factor",
    "yarn_frequencies",
]


def interpolated_frequencies(head_dim: int, *, theta: float, scale: float) -> Float[Tensor, "pairs"]:
    r"""Slow all pairs by one factor: position m is read as m / scale.

    Position interpolation (Chen et al. 2023, arXiv:2306.15595). No angle is new to the model, but neighbours come
    ``scale`` times as close together, which costs accuracy until the model is trained a little further.

    Args:
        head_dim: Features of a head.
        theta: The base of the frequencies.
        scale: New context over the old one.

    Returns:
        ``head_dim / 2`` frequencies in radians per token, in fp32.

    Raises:
        ValueError: ``scale`` is below 1, or :func:`llmcourse.architecture.rope_frequencies` refuses.

    Example:
        >>> interpolated_frequencies(4, theta=100.0, scale=2.0)
        tensor([0.5000, 0.0500])
    """
    _check_scale(scale)
    return rope_frequencies(head_dim, theta=theta) / scale


def ntk_scaled_theta(theta: float, scale: float, head_dim: int) -> float:
    r"""Return the base that slows the slowest pair by ``scale`` and leaves the fastest as it is.

    "NTK-aware" interpolation, described in Peng et al. 2023 (arXiv:2309.00071): theta * scale^(d / (d - 2)). Pair i has
    the frequency theta^(-2i / d), and the last is i = d / 2 - 1: the exponent makes its frequency smaller by exactly
    ``scale``. Pairs between are slowed by less.

    Args:
        theta: The base that the model was trained with.
        scale: New context over the old one.
        head_dim: Features of a head, the d above.

    Returns:
        A greater base.

    Raises:
        ValueError: ``scale`` is below 1, ``theta`` is not positive, or ``head_dim`` is no even number from 4.

    Example:
        >>> theta = ntk_scaled_theta(10_000.0, 4.0, 128)
        >>> round(theta)
        40890
        >>> plain, scaled = rope_frequencies(128), rope_frequencies(128, theta=theta)
        >>> (plain / scaled)[[0, 63]]
        tensor([1.0000, 4.0000])
    """
    _check_scale(scale)
    if not theta > 0:
        raise ValueError(f"theta is {theta}: it has to be greater than 0")
    if head_dim < 4 or head_dim % 2:
        raise ValueError(f"head_dim is {head_dim}: it has to be even, and at least 4 for a slowest and a fastest pair")
    return theta * scale ** (head_dim / (head_dim - 2))


def dynamic_ntk_theta(theta: float, scale: float, head_dim: int, *, seq_len: int, original_max_seq_len: int) -> float:
    r"""Return the base for a text of ``seq_len`` tokens: the model's own as long as the text fits, then a greater one.

    Dynamic NTK scaling, as transformers computes it (its name there is "dynamic"). Short texts lose nothing. The base
    changes with the length, so keys that a cache holds in rotated form would have to be rotated anew.

    Args:
        theta: The base that the model was trained with.
        scale: How fast the base grows: at 1 the effective scale is seq_len / original_max_seq_len.
        head_dim: Features of a head.
        seq_len: Tokens of the text.
        original_max_seq_len: The context that the model was trained with.

    Returns:
        :func:`ntk_scaled_theta` of the effective scale, ``scale * seq_len / original_max_seq_len - (scale - 1)``.

    Raises:
        ValueError: A length is below 1, or :func:`ntk_scaled_theta` refuses.

    Example:
        >>> [round(dynamic_ntk_theta(10_000.0, 1.0, 128, seq_len=n, original_max_seq_len=4096)) for n in (100, 8192)]
        [10000, 20221]
    """
    _check_scale(scale)
    if seq_len < 1 or original_max_seq_len < 1:
        raise ValueError(f"seq_len is {seq_len} and original_max_seq_len {original_max_seq_len}: give at least 1 token")
    effective = scale * max(seq_len, original_max_seq_len) / original_max_seq_len - (scale - 1)
    return ntk_scaled_theta(theta, effective, head_dim)


def yarn_attention_factor(scale: float) -> float:
    r"""Return 0.1 ln(scale) + 1, which multiplies queries and keys *each*: logits gain its square.

    YaRN (Peng et al. 2023, arXiv:2309.00071): the paper's temperature t divides the logits, with sqrt(1 / t) equal to
    this number. It sharpens attention, which more tokens would flatten.

    Args:
        scale: New context over the old one.

    Returns:
        1 where the context is not extended.

    Raises:
        ValueError: ``scale`` is below 1.

    Example:
        >>> round(yarn_attention_factor(16.0), 4)
        1.2773
    """
    _check_scale(scale)
    return 0.1 * math.log(scale) + 1.0


def yarn_frequencies(
    head_dim: int,
    *,
    theta: float,
    scale: float,
    original_max_seq_len: int,
    beta_fast: float = 32,
    beta_slow: float = 1,
    truncate: bool = True,
) -> tuple[Float[Tensor, "pairs"], float]:
    r"""Slow each pair by how often it went round in training: fast ones not at all, slow ones by the whole ``scale``.

    YaRN (Peng et al. 2023, arXiv:2309.00071), "NTK-by-parts" and a temperature. Notation: the paper's s is ``scale``, L
    ``original_max_seq_len``, its alpha is ``beta_slow`` and its beta ``beta_fast``. A pair that turns at least
    ``beta_fast`` times within L keeps its frequency; one that turns at most ``beta_slow`` times is interpolated;
    between them the share of each is linear in the *number of the pair*, as in the authors' code and in transformers.

    Args:
        head_dim: Features of a head.
        theta: The base that the model was trained with.
        scale: New context over the old one.
        original_max_seq_len: The context that the model was trained with, in tokens.
        beta_fast: Turns from which a pair stays as it is.
        beta_slow: Turns up to which a pair is interpolated.
        truncate: Widen the ramp to whole numbers of pairs; gpt-oss has it off.

    Returns:
        ``head_dim / 2`` frequencies in radians per token, in fp32, and :func:`yarn_attention_factor`.

    Raises:
        ValueError: ``scale`` is below 1, ``beta_fast`` is not above ``beta_slow``, or no pair lies between them.

    Example:
        >>> frequencies, factor = yarn_frequencies(128, theta=1e4, scale=16.0, original_max_seq_len=4096)
        >>> (rope_frequencies(128) / frequencies)[[0, 32, 63]]
        tensor([ 1.0000,  1.7627, 16.0000])
        >>> round(factor, 4)
        1.2773
    """
    _check_scale(scale)
    plain = rope_frequencies(head_dim, theta=theta)
    share = _interpolated_share(plain, theta, original_max_seq_len, beta_fast, beta_slow, truncate)
    return plain / scale * share + plain * (1 - share), yarn_attention_factor(scale)


def _interpolated_share(
    plain: Tensor, theta: float, seq_len: int, beta_fast: float, beta_slow: float, truncate: bool
) -> Tensor:
    """Return 0 for pairs that stay, 1 for those that are interpolated, and a ramp between them."""
    if not beta_fast > beta_slow > 0:
        raise ValueError(f"beta_fast is {beta_fast} and beta_slow {beta_slow}: the first counts more turns")
    head_dim = 2 * len(plain)
    low, high = (_pair_that_turns(turns, head_dim, theta, seq_len) for turns in (beta_fast, beta_slow))
    if truncate:
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, head_dim - 1)
    if low > high:
        raise ValueError(
            f"within {seq_len} tokens no pair of theta {theta} turns {beta_slow} to {beta_fast} times: "
            "original_max_seq_len is the context of the first training"
        )
    width = high - low if high > low else 0.001
    return ((torch.arange(len(plain), dtype=torch.float32, device=plain.device) - low) / width).clamp(0, 1)


def _pair_that_turns(turns: float, head_dim: int, theta: float, seq_len: int) -> float:
    """Return the number of the pair, a fraction, that goes round ``turns`` times within ``seq_len`` tokens."""
    if seq_len < 1 or not theta > 1:
        raise ValueError(f"original_max_seq_len is {seq_len} and theta {theta}: give at least 1 token, and more than 1")
    return head_dim * math.log(seq_len / (turns * 2 * math.pi)) / (2 * math.log(theta))


def _check_scale(scale: float) -> None:
    if not scale >= 1:
        raise ValueError(f"scale is {scale}: it is the new context over the old one, so at least 1")


@register_rope_scaling("ntk")
def _ntk(frequencies: Tensor, options: Mapping[str, Any]) -> tuple[Tensor, float]:
    """``{"type": "ntk", "factor": 4.0}``."""
    given = _read(options, required=("factor",), optional=())
    theta = ntk_scaled_theta(options["theta"], given["factor"], 2 * len(frequencies))
    return rope_frequencies(2 * len(frequencies), theta=theta, device=frequencies.device), 1.0


@register_rope_scaling("yarn")
def _yarn(frequencies: Tensor, options: Mapping[str, Any]) -> tuple[Tensor, float]:
    """Options as in Hugging Face's config.json; ``mscale`` and ``mscale_all_dim`` are DeepSeek's."""
    optional = ("beta_fast", "beta_slow", "attention_factor", "mscale", "mscale_all_dim", "truncate")
    given = _read(options, required=("factor", "original_max_position_embeddings"), optional=optional)
    scale, length = given["factor"], given["original_max_position_embeddings"]
    with frequencies.device:  # a model may be under construction on the meta device, and its frequencies are not
        result, factor = yarn_frequencies(
            2 * len(frequencies),
            theta=options["theta"],
            scale=scale,
            original_max_seq_len=length,
            beta_fast=given.get("beta_fast") or 32,
            beta_slow=given.get("beta_slow") or 1,
            truncate=given.get("truncate", True),
        )
    above, below = given.get("mscale"), given.get("mscale_all_dim")
    if above and below:
        factor = (0.1 * above * math.log(scale) + 1.0) / (0.1 * below * math.log(scale) + 1.0)
    return result, given.get("attention_factor") or factor


def _read(options: Mapping[str, Any], *, required: tuple[str, ...], optional: tuple[str, ...]) -> dict[str, Any]:
    """Return the options without type and theta; refuse unknown ones, missing ones and what is no number."""
    kind, given = options["type"], {k: v for k, v in options.items() if k not in ("type", "theta")}
    for name, value in given.items():
        if name not in required + optional:
            known = ", ".join(required + optional)
            raise ValueError(f"rope_scaling {kind!r} has no option {name!r} ({value!r}): it has {known}")
        if not isinstance(value, int | float) and not (value is None and name in optional):
            raise ValueError(f"rope_scaling {kind!r} has {name!r} {value!r}: give a number")
    for name in required:
        if name not in given:
            raise ValueError(f"rope_scaling {kind!r} needs {name!r}: give a number")
    return given
