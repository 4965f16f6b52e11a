"""Attention over a part of the keys, and how such parts are merged: what ring attention and split decoding stand on."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from llmcourse.architecture import expand_kv_heads

__all__ = ["attend_partially", "merge_attention", "partial_attention_gradients"]


def attend_partially(
    q: Float[Tensor, "B H T head_dim"],
    k: Float[Tensor, "B H_kv S head_dim"],
    v: Float[Tensor, "B H_kv S value_dim"],
    *,
    mask: Bool[Tensor, "T S"] | None = None,
    scale: float | None = None,
) -> tuple[Float[Tensor, "B H T value_dim"], Float[Tensor, "B H T"]]:
    r"""Attend to some of the keys, and keep the one number per query that lets the rest be added later.

    Args:
        q: Queries.
        k: Some of their keys; H_kv divides H.
        v: The values of those.
        mask: True where attention is allowed.
        scale: What multiplies the products; ``1 / sqrt(head_dim)`` unless given.

    Returns:
        The mean of these values, and the log of the sum of exponentials of the scores; both in fp32 at least. A query
        that sees none of the keys has zeros and -inf.

    Cost: 2 B H T S (head_dim + value_dim) FLOP; T x S scores for each head are held.

    Example:
        >>> mixed, log_sum = attend_partially(torch.zeros(1, 1, 1, 2), torch.zeros(1, 1, 3, 2), torch.ones(1, 1, 3, 2))
        >>> mixed.flatten(), log_sum.flatten()  # the log of 3
        (tensor([1., 1.]), tensor([1.0986]))
    """
    scores = _scores(q, k, mask, scale)
    log_sum = scores.logsumexp(dim=-1)
    weights = scores.softmax(dim=-1).masked_fill(log_sum.isinf().unsqueeze(-1), 0.0)
    return weights @ expand_kv_heads(v, q.shape[1]).to(weights.dtype), log_sum


def merge_attention(
    first: Float[Tensor, "*S value_dim"],
    first_log_sum: Float[Tensor, "*S"],
    second: Float[Tensor, "*S value_dim"],
    second_log_sum: Float[Tensor, "*S"],
) -> tuple[Float[Tensor, "*S value_dim"], Float[Tensor, "*S"]]:
    r"""Merge attention over two disjoint sets of keys into attention over both, exactly.

    Each set counts by its share exp(s_i) of the sum of exponentials, with s_i its log: the merged mean is
    (e^{s_1} o_1 + e^{s_2} o_2) / (e^{s_1} + e^{s_2}), and the merged log of the sum log(e^{s_1} + e^{s_2}). A share is
    the sigmoid of a difference, which cannot overflow, and loses less than exp(s_1 - s) where logs are large. The order
    of merging makes no difference but for rounding. This is the running softmax of Milakov & Gimelshein 2018
    (arXiv:1805.02867), between whole blocks.

    Args:
        first: Mean of the values of the first set.
        first_log_sum: Its log-sum-exp; -inf where a query sees none of it.
        second: Likewise.
        second_log_sum: Likewise.

    Returns:
        Mean and log-sum-exp over both sets; zeros and -inf where a query sees neither.

    Example:
        >>> two, one = torch.tensor(2.0).log(), torch.tensor(1.0).log()
        >>> mixed, log_sum = merge_attention(torch.tensor([3.0]), two, torch.tensor([6.0]), one)
        >>> mixed, log_sum.exp()  # two equal keys with a mean of 3, and one with 6
        (tensor([4.]), tensor(3.))
    """
    gap = torch.where(first_log_sum == second_log_sum, 0.0, first_log_sum - second_log_sum)  # -inf - -inf is NaN
    merged = gap.sigmoid().unsqueeze(-1) * first + (-gap).sigmoid().unsqueeze(-1) * second
    return merged, torch.logaddexp(first_log_sum, second_log_sum)


def partial_attention_gradients(
    q: Float[Tensor, "B H T head_dim"],
    k: Float[Tensor, "B H_kv S head_dim"],
    v: Float[Tensor, "B H_kv S value_dim"],
    grad: Float[Tensor, "B H T value_dim"],
    log_sum: Float[Tensor, "B H T"],
    delta: Float[Tensor, "B H T"],
    *,
    mask: Bool[Tensor, "T S"] | None = None,
    scale: float | None = None,
) -> tuple[Float[Tensor, "B H T head_dim"], Float[Tensor, "B H_kv S head_dim"], Float[Tensor, "B H_kv S value_dim"]]:
    r"""Return what one set of keys adds to the gradients of attention over *all* sets.

    Weights are made anew from the scores and the log-sum-exp over all keys, as in FlashAttention (Dao et al. 2022,
    arXiv:2205.14135); nothing of the other sets is needed.

    Args:
        q: Queries.
        k: Keys of this set.
        v: Its values.
        grad: The gradient of the merged result.
        log_sum: The log-sum-exp over all sets.
        delta: ``(grad * merged).sum(-1)``, which the softmax's derivative subtracts.
        mask: True where attention is allowed.
        scale: As for :func:`attend_partially`.

    Returns:
        What is to be added to the gradients of ``q``, ``k`` and ``v``, in fp32 at least.

    Example:
        >>> q = torch.zeros(1, 1, 1, 2)
        >>> _, _, grad_v = partial_attention_gradients(
        ...     q, q, q, torch.ones(1, 1, 1, 2), torch.tensor([[[4.0]]]).log(), torch.zeros(1, 1, 1)
        ... )
        >>> grad_v.flatten()  # this key weighs a quarter
        tensor([0.2500, 0.2500])
    """
    n_heads, n_kv_heads = q.shape[1], k.shape[1]
    scores = _scores(q, k, mask, scale)
    weights = (scores - _finite(log_sum).unsqueeze(-1)).exp()
    wide_q, grad = q.to(weights.dtype), grad.to(weights.dtype)
    keys, values = (expand_kv_heads(x, n_heads).to(weights.dtype) for x in (k, v))
    grad_scores = weights * (grad @ values.mT - delta.unsqueeze(-1)) * _scale(q, scale)
    grad_k, grad_v = grad_scores.mT @ wide_q, weights.mT @ grad
    shared = (n_kv_heads, n_heads // n_kv_heads)  # heads that share keys add up
    return grad_scores @ keys, grad_k.unflatten(1, shared).sum(2), grad_v.unflatten(1, shared).sum(2)


def _scores(q: Tensor, k: Tensor, mask: Tensor | None, scale: float | None) -> Tensor:
    wide = torch.promote_types(q.dtype, torch.float32)
    scores = (q.to(wide) @ expand_kv_heads(k, q.shape[1]).to(wide).mT) * _scale(q, scale)
    return scores if mask is None else scores.masked_fill(~mask, -torch.inf)


def _scale(q: Tensor, scale: float | None) -> float:
    return 1 / math.sqrt(q.shape[-1]) if scale is None else scale


def _finite(x: Tensor) -> Tensor:
    """Return 0 for -inf, the log-sum-exp where no key is seen: -inf minus -inf would be NaN."""
    return torch.where(x.isinf(), 0.0, x)
