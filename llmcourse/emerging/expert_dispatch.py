"""Tokens to their experts and back: sorted so that each expert works on one contiguous block."""

import math
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from llmcourse.architecture import swiglu
from llmcourse.emerging.routing import expert_counts

__all__ = ["apply_experts", "combine", "expert_capacity", "expert_swiglu", "sort_by_expert"]


def apply_experts(
    x: Float[Tensor, "T D"],
    weights: Float[Tensor, "T k"],
    experts: Int[Tensor, "T k"],
    functions: Sequence[Callable[[Tensor], Tensor]],
) -> Float[Tensor, "T D"]:
    r"""Return the weighted sum of each token's experts, one expert after the other: the form to read.

    Shazeer et al. 2017 (arXiv:1701.06538), equation 1: y = sum_i G(x)_i E_i(x), where experts with G(x)_i = 0 are not
    computed.

    Args:
        x: Tokens.
        weights: From :func:`llmcourse.emerging.route_top_k`.
        experts: Likewise.
        functions: One for each expert.

    Returns:
        Of the shape and dtype of ``x``.

    Example:
        >>> x = torch.tensor([[1.0], [2.0]])
        >>> apply_experts(x, torch.tensor([[0.25], [1.0]]), torch.tensor([[1], [0]]), [torch.neg, torch.exp])
        tensor([[ 0.6796],
                [-2.0000]])
    """
    y = torch.zeros_like(x)
    for number, function in enumerate(functions):
        token, choice = (experts == number).nonzero(as_tuple=True)
        if len(token):
            y = y.index_add(0, token, (function(x[token]) * weights[token, choice, None]).to(x.dtype))
    return y


def expert_capacity(n_tokens: int, top_k: int, n_experts: int, *, factor: float) -> int:
    r"""Return how many tokens an expert takes: ``factor`` times an even share, rounded up.

    Switch Transformer (arXiv:2101.03961), equation 3.

    Args:
        n_tokens: In the batch.
        top_k: Experts of each token.
        n_experts: How many there are.
        factor: 1 leaves no room for an uneven load.

    Returns:
        Tokens, at least 1.

    Raises:
        ValueError: The factor is not greater than 0.

    Example:
        >>> expert_capacity(1024, 2, 8, factor=1.25)
        320
    """
    if not factor > 0:
        raise ValueError(f"the capacity factor is {factor}: it has to be greater than 0")
    return max(1, math.ceil(n_tokens * top_k / n_experts * factor))


def sort_by_expert(
    experts: Int[Tensor, "T k"], n_experts: int, *, capacity: int | None = None
) -> tuple[Int[Tensor, "slots"], Int[Tensor, "n_experts"]]:
    r"""Return the slots in the order of their experts, and how many each expert has.

    Slot s is choice s % k of token s // k: the place of a weight in ``weights.flatten()``. Slots of one expert stay in
    their order, so that the result does not depend on the sorting method.

    Args:
        experts: Each token's, best first.
        n_experts: How many there are.
        capacity: The most slots an expert takes; later ones are dropped, all first choices before any second (GShard,
            arXiv:2006.16668, algorithm 1). None drops nothing.

    Returns:
        T * k slots, less those dropped; expert 0's come first.

    Example:
        >>> sort_by_expert(torch.tensor([[1, 0], [1, 2]]), 3)
        (tensor([1, 0, 2, 3]), tensor([1, 2, 1]))
        >>> sort_by_expert(torch.tensor([[1, 0], [1, 2]]), 3, capacity=1)
        (tensor([1, 0, 3]), tensor([1, 1, 1]))
    """
    counts = expert_counts(experts, n_experts)
    if capacity is None:
        return experts.flatten().argsort(stable=True), counts
    n_tokens, top_k = experts.shape
    by_choice = experts.T.flatten()  # all first choices, then all second ones
    order = by_choice.argsort(stable=True)
    place = torch.arange(len(order), device=order.device) - (counts.cumsum(0) - counts)[by_choice[order]]
    kept = order[place < capacity]
    return kept % n_tokens * top_k + kept // n_tokens, counts.clamp(max=capacity)


def combine(
    outputs: Float[Tensor, "slots D"], slots: Int[Tensor, "slots"], weights: Float[Tensor, "T k"]
) -> Float[Tensor, "T D"]:
    r"""Add the experts' outputs up, each times its weight, in the order of the tokens.

    Args:
        outputs: One row for each slot, in the order of ``slots``.
        slots: From :func:`sort_by_expert`.
        weights: From :func:`llmcourse.emerging.route_top_k`.

    Returns:
        One row for each token, 0 where all its slots were dropped; in the dtype of ``outputs``.

    Example:
        >>> combine(torch.tensor([[10.0], [20.0], [30.0], [40.0]]), torch.tensor([1, 0, 2, 3]), torch.ones(2, 2))
        tensor([[30.],
                [70.]])
    """
    weighted = (outputs * weights.flatten()[slots].unsqueeze(-1)).to(outputs.dtype)
    return outputs.new_zeros(len(weights), outputs.shape[-1]).index_add(0, slots // weights.shape[1], weighted)


def expert_swiglu(
    x: Float[Tensor, "slots D"],
    counts: Int[Tensor, "n_experts"],
    w1: Float[Tensor, "n_experts d_ff D"],
    w_gate: Float[Tensor, "n_experts d_ff D"],
    w2: Float[Tensor, "n_experts D d_ff"],
) -> Float[Tensor, "slots D"]:
    r"""Put each expert's block of rows through its own SwiGLU.

    Args:
        x: Rows sorted by expert.
        counts: The rows of each.
        w1: As in :func:`llmcourse.architecture.swiglu`, for each expert.
        w_gate: Likewise.
        w2: Likewise.

    Returns:
        Of the shape and dtype of ``x``.

    Cost: 6 D d_ff FLOP for each row, however many experts there are.

    Example:
        >>> w = torch.ones(2, 1, 1)
        >>> expert_swiglu(torch.tensor([[2.0], [2.0]]), torch.tensor([1, 1]), w, w, 2 * w)
        tensor([[7.0464],
                [7.0464]])
    """
    blocks = x.split(counts.tolist())
    done = [swiglu(b, w1[e], w_gate[e], w2[e]) for e, b in enumerate(blocks) if len(b)]
    return torch.cat(done) if done else x
