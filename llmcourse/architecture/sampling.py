"""From logits to one token: temperature, and three ways to leave out what is unlikely."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["filter_logits", "sample"]


def filter_logits(
    logits: Float[Tensor, "B V"],
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
) -> Float[Tensor, "B V"]:
    r"""Divide logits by the temperature, and set those of tokens that are left out to minus infinity.

    Temperature comes first, then each filter works on what the one before it has left. Top-p is nucleus sampling
    (Holtzman et al. 2019, arXiv:1904.09751); min-p is by Nguyen et al. 2024 (arXiv:2407.01082).

    Args:
        logits: One row for each sequence.
        temperature: Below 1 makes likely tokens likelier.
        top_k: Keep this many of the likeliest, and what ties with the last of them.
        top_p: Keep the fewest of the likeliest whose probabilities add up to this.
        min_p: Keep what is at least this fraction as likely as the likeliest.

    Returns:
        Logits in fp32. The likeliest token always stays.

    Raises:
        ValueError: A setting is out of its range.

    Example:
        >>> filter_logits(torch.tensor([[2.0, 1.0, 0.0]]), top_k=2)
        tensor([[2., 1., -inf]])
    """
    check_sampling(temperature, top_k, top_p, min_p)
    logits = logits.float() / temperature
    if top_k is not None and top_k < logits.shape[-1]:
        least = logits.topk(top_k, dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    if top_p is not None and top_p < 1:
        ordered, order = logits.sort(dim=-1, descending=True)
        probabilities = ordered.softmax(-1)
        before = probabilities.cumsum(-1) - probabilities
        dropped = (before >= top_p).scatter(-1, order, before >= top_p)
        logits = logits.masked_fill(dropped, -torch.inf)
    if min_p is not None and min_p > 0:
        probabilities = logits.softmax(-1)
        logits = logits.masked_fill(probabilities < min_p * probabilities.amax(-1, keepdim=True), -torch.inf)
    return logits


def sample(
    logits: Float[Tensor, "B V"],
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    generator: torch.Generator | None = None,
) -> Int[Tensor, "B"]:
    r"""Draw one token for each row; with temperature 0 take the likeliest, the first of those that tie.

    Args:
        logits: One row for each sequence.
        temperature: 0 is greedy; otherwise as for :func:`filter_logits`.
        top_k: As for :func:`filter_logits`.
        top_p: Likewise.
        min_p: Likewise.
        generator: On the device of the logits.

    Returns:
        Ids.

    Example:
        >>> sample(torch.tensor([[0.0, 3.0, 1.0]]), temperature=0.0)
        tensor([1])
    """
    if temperature == 0:
        check_sampling(1.0, top_k, top_p, min_p)
        return logits.argmax(-1)
    kept = filter_logits(logits, temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p)
    return torch.multinomial(kept.softmax(-1), 1, generator=generator).squeeze(-1)


def check_sampling(temperature: float, top_k: int | None, top_p: float | None, min_p: float | None) -> None:
    """Raise ValueError where a setting is out of its range."""
    if not 0 < temperature < float("inf"):
        raise ValueError(f"temperature is {temperature}: give a number above 0, or 0 for the likeliest token")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k is {top_k}: keep at least 1 token, or leave it out to keep all")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p is {top_p}: it is a probability above 0 and at most 1")
    if min_p is not None and not 0 <= min_p <= 1:
        raise ValueError(f"min_p is {min_p}: it is a fraction from 0 to 1")
