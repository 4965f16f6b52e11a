"""Accepting a draft so that what comes out is distributed as the target alone would have it."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["accept_draft", "acceptance_probability", "expected_speedup", "expected_tokens", "residual_distribution"]


def residual_distribution(target: Float[Tensor, "*B V"], draft: Float[Tensor, "*B V"]) -> Float[Tensor, "*B V"]:
    r"""Return max(0, p - q), normalised: what is drawn from where a token of the draft is refused.

    Leviathan et al. 2022 (arXiv:2211.17192), section 2.3, where the target is p and the draft q. Accepting x from q
    with probability min(1, p(x) / q(x)) gives x with min(p, q) in all; the residual adds exactly what lacks of p.

    Args:
        target: Probabilities.
        draft: Probabilities of the same tokens.

    Returns:
        Probabilities; the target's where both are the same, since then nothing is refused.

    Raises:
        ValueError: Shapes differ.

    Example:
        >>> residual_distribution(torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.2, 0.3, 0.5]))
        tensor([1., 0., 0.])
    """
    if target.shape != draft.shape:
        raise ValueError(f"target has shape {tuple(target.shape)} and draft {tuple(draft.shape)}: give the same")
    rest = (target - draft).clamp(min=0)
    total = rest.sum(-1, keepdim=True)
    return torch.where(total > 0, rest / total.clamp(min=torch.finfo(rest.dtype).tiny), target)


def acceptance_probability(target: Float[Tensor, "*B V"], draft: Float[Tensor, "*B V"]) -> Float[Tensor, "*B"]:
    r"""Return the probability that a token of the draft is accepted: the sum of min(p, q), one less the distance.

    Args:
        target: Probabilities.
        draft: Probabilities of the same tokens.

    Returns:
        From 0 to 1.

    Example:
        >>> acceptance_probability(torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.2, 0.3, 0.5]))
        tensor(0.7000)
    """
    return torch.minimum(target, draft).sum(-1)


def count_accepted(
    drafted: Int[Tensor, " K"],
    draft: Float[Tensor, "K V"],
    target: Float[Tensor, "K_plus_1 V"],
    uniform: Float[Tensor, " K"],
) -> int:
    r"""Return how many of the drafted tokens stand: those before the first that is refused.

    Leviathan et al. 2022 (arXiv:2211.17192), algorithm 1: x is kept with probability min(1, p(x) / q(x)).

    Args:
        drafted: K tokens, each drawn from its row of ``draft``.
        draft: The distributions that they were drawn from, filters applied.
        target: The target's at the same places, and at the place after them, which is not looked at.
        uniform: K numbers drawn evenly from 0 to below 1.

    Returns:
        From 0 to K.

    Raises:
        ValueError: Shapes do not fit.

    Example:
        >>> draft, target = torch.tensor([[0.8, 0.2]] * 2), torch.tensor([[0.4, 0.6]] * 3)
        >>> count_accepted(torch.tensor([0, 0]), draft, target, torch.tensor([0.4, 0.6]))  # kept below 0.4 / 0.8
        1
    """
    n_drafted = len(drafted)
    if draft.shape[0] != n_drafted or target.shape != (n_drafted + 1, draft.shape[1]) or len(uniform) != n_drafted:
        raise ValueError(
            f"drafted has {n_drafted} tokens, draft {tuple(draft.shape)}, target {tuple(target.shape)} and uniform "
            f"{tuple(uniform.shape)}: give (K,), (K, V), (K + 1, V) and (K,)"
        )
    chosen = drafted[:, None]
    # The product in place of a ratio: no division by a probability that rounding has made 0.
    accepted = uniform * draft.gather(1, chosen)[:, 0] < target[:-1].gather(1, chosen)[:, 0]
    return int(accepted.int().cumprod(0).sum())


def next_distribution(
    draft: Float[Tensor, "K V"], target: Float[Tensor, "K_plus_1 V"], n_accepted: int
) -> Float[Tensor, " V"]:
    r"""Return what the one more token of a round is drawn from.

    Args:
        draft: The distributions of the drafted tokens.
        target: The target's at the same places, and at the place after them.
        n_accepted: How many were kept.

    Returns:
        The residual at the token that was refused; where none was, the target's next prediction, which was computed
        anyway: the bonus.

    Example:
        >>> draft, target = torch.tensor([[0.8, 0.2]]), torch.tensor([[0.4, 0.6], [0.5, 0.5]])
        >>> next_distribution(draft, target, 0), next_distribution(draft, target, 1)
        (tensor([0., 1.]), tensor([0.5000, 0.5000]))
    """
    if n_accepted == len(draft):
        return target[-1]
    return residual_distribution(target[n_accepted], draft[n_accepted])


def accept_draft(
    drafted: Int[Tensor, " K"],
    draft: Float[Tensor, "K V"],
    target: Float[Tensor, "K_plus_1 V"],
    *,
    generator: torch.Generator | None = None,
) -> Int[Tensor, " n"]:
    r"""Return the tokens that come of one round: those of the draft up to the first refusal, and one more.

    Leviathan et al. 2022 (arXiv:2211.17192), algorithm 1.

    Args:
        drafted: As for :func:`count_accepted`.
        draft: Likewise.
        target: Likewise.
        generator: On the device of the tensors.

    Returns:
        From 1 to K + 1 tokens.

    Raises:
        ValueError: Shapes do not fit.

    Example:
        >>> certain = torch.eye(4)
        >>> accept_draft(torch.tensor([1, 3]), certain[[1, 3]], certain[[1, 2, 0]])  # the second is refused
        tensor([1, 2])
    """
    uniform = torch.rand(len(drafted), generator=generator, device=draft.device)
    n_accepted = count_accepted(drafted, draft, target, uniform)
    last = torch.multinomial(next_distribution(draft, target, n_accepted), 1, generator=generator)
    return torch.cat([drafted[:n_accepted], last.to(drafted.dtype)])


def expected_tokens(acceptance: float, draft_length: int) -> float:
    r"""Return how many tokens a round gives on average: (1 - a^(K+1)) / (1 - a).

    Leviathan et al. 2022 (arXiv:2211.17192), equation 1. It takes acceptances to be independent and equally likely,
    which those of a text are not: hard places stand together.

    Args:
        acceptance: The probability a that a token is accepted.
        draft_length: K.

    Returns:
        From 1 to K + 1.

    Raises:
        ValueError: A number is out of its range.

    Example:
        >>> expected_tokens(0.8, 4)
        3.3616
    """
    if not 0 <= acceptance <= 1 or draft_length < 0:
        raise ValueError(
            f"acceptance is {acceptance} and draft_length {draft_length}: give a probability, and 0 or more"
        )
    return round(math.fsum(acceptance**k for k in range(draft_length + 1)), 12)


def expected_speedup(acceptance: float, draft_length: int, cost_ratio: float) -> float:
    r"""Return how many times as fast as plain decoding it is: expected tokens over the cost of a round.

    Leviathan et al. 2022 (arXiv:2211.17192), theorem 3.8. A round costs one step of the target, which reads K + 1
    tokens for about the price of one while memory is what limits it, and K steps of the draft.

    Args:
        acceptance: As for :func:`expected_tokens`.
        draft_length: K.
        cost_ratio: The paper's c: time of a draft's step over that of the target's.

    Returns:
        Below 1 where the draft costs more than it brings.

    Raises:
        ValueError: A number is out of its range.

    Example:
        >>> round(expected_speedup(0.8, 4, 0.05), 2)
        2.8
    """
    if not cost_ratio >= 0:
        raise ValueError(f"cost_ratio is {cost_ratio}: give 0 or more")
    return expected_tokens(acceptance, draft_length) / (1 + draft_length * cost_ratio)
