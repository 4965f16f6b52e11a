"""Writing on, one token at a time."""

from collections.abc import Callable, Collection
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from llmcourse.architecture.cache import Cache
from llmcourse.architecture.sampling import sample
from llmcourse.architecture.transformer import Transformer

__all__ = ["generate"]


@torch.no_grad()
def generate(
    model: Callable[..., Tensor],
    tokens: Int[Tensor, "B T"],
    max_new_tokens: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    stop_tokens: Collection[int] = (),
    seed: int | None = None,
    cache: Cache | None = None,
) -> Int[Tensor, "B T_new"]:
    r"""Append tokens to each row, each drawn from the model's prediction.

    Args:
        model: Takes tokens, and gives logits (B, T, V). Put it into evaluation mode yourself if that matters to it.
        tokens: What each row begins with, at least one token.
        max_new_tokens: Stop after this many.
        temperature: 0 takes the likeliest token; 1 draws as the model predicts.
        top_k: See :func:`llmcourse.architecture.filter_logits`.
        top_p: Likewise.
        min_p: Likewise.
        stop_tokens: A row ends with the first of these that it draws; while others go on, it repeats that token.
        seed: Makes the drawing repeatable; None draws from torch's global generator.
        cache: Keeps keys and values, so that each step reads one token in place of all. It is reset first.

    Returns:
        The rows with what was added, at most ``max_new_tokens`` longer.

    Raises:
        ValueError: A setting is out of its range, or ``tokens`` is not (B, T) with T at least 1.

    Cost: without a cache, the n-th step reads n tokens: quadratic in the length, and cubic in attention.

    Example:
        >>> counting = lambda tokens: torch.nn.functional.one_hot((tokens + 1) % 5, 5).float()
        >>> generate(counting, torch.tensor([[1], [3]]), 3, temperature=0.0, stop_tokens=[4])
        tensor([[1, 2, 3, 4],
                [3, 4, 4, 4]])
    """
    _check(tokens, max_new_tokens)
    if cache is not None:
        cache.reset()  # what an earlier text left in it would be read as this one's beginning
    generator = None if seed is None else torch.Generator(tokens.device).manual_seed(seed)
    stops = torch.tensor(sorted(stop_tokens), dtype=tokens.dtype, device=tokens.device)
    done = torch.zeros(len(tokens), dtype=torch.bool, device=tokens.device)
    n_read = 0
    for _ in range(max_new_tokens):
        logits = _next_logits(model, tokens[:, n_read:], n_read, cache)
        drawn = sample(logits, temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p, generator=generator)
        drawn = torch.where(done, tokens[:, -1], drawn.to(tokens.dtype))
        n_read = tokens.shape[1] if cache is not None else 0
        tokens = torch.cat([tokens, drawn[:, None]], dim=1)
        done = done | torch.isin(drawn, stops)
        if len(stops) and done.all():
            break
    return tokens


def _next_logits(
    model: Callable[..., Tensor], tokens: Int[Tensor, "B T"], start: int, cache: Cache | None
) -> Float[Tensor, "B V"]:
    """Return the logits after the last token; a Transformer's are made for that token alone."""
    options: dict[str, Any] = {}
    if cache is not None:
        options = {"cache": cache, "positions": torch.arange(start, start + tokens.shape[1], device=tokens.device)}
    if isinstance(model, Transformer):
        return model.output(model.hidden(tokens, **options)[:, -1])
    return model(tokens, **options)[:, -1]


def _check(tokens: Tensor, max_new_tokens: int) -> None:
    if tokens.ndim != 2 or tokens.shape[1] < 1:
        raise ValueError(f"tokens have shape {tuple(tokens.shape)}: give (B, T) with at least one token in a row")
    if max_new_tokens < 0:
        raise ValueError(f"max_new_tokens is {max_new_tokens}: give 0 or more")
