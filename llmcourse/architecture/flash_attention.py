"""FlashAttention to be read: attention tile by tile with a softmax that is finished as it goes, in plain torch.

Dao et al. 2022 (arXiv:2205.14135), algorithms 1 and 4; the order of the loops, queries outside, is that of
FlashAttention-2 (Dao 2023, arXiv:2307.08691). A GPU's kernel keeps each tile in fast memory; here the tiles show what
has to be known of the rows at each moment: the greatest score so far, the sum of exponentials, and the mean so far.
"""

import math
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from llmcourse.architecture.attention_scores import expand_kv_heads

__all__ = ["flash_attention"]


def flash_attention(
    q: Float[Tensor, "B H T head_dim"],
    k: Float[Tensor, "B H_kv S head_dim"],
    v: Float[Tensor, "B H_kv S value_dim"],
    *,
    causal: bool = False,
    scale: float | None = None,
    block_size: int = 64,
) -> Float[Tensor, "B H T value_dim"]:
    r"""Compute what :func:`llmcourse.architecture.scaled_dot_product_attention` does, and never hold T x S scores.

    Args:
        q: Queries.
        k: Keys; H_kv divides H.
        v: Values.
        causal: A query sees no later key; the last query stands beside the last key.
        scale: What multiplies the products; ``1 / sqrt(head_dim)`` unless given.
        block_size: Tokens along each side of a tile.

    Returns:
        Of the shape of ``q`` with the width of ``v``; zeros where a query may see no key.

    Raises:
        ValueError: ``block_size`` is below 1, or heads do not divide.

    Cost: as many FLOP as the plain form, less the tiles that a causal mask hides whole; memory for the result and one
    number per query (the log-sum-exp), from which the backward pass makes each tile of weights anew.

    Example:
        >>> q = k = torch.zeros(1, 1, 2, 4)
        >>> flash_attention(q, k, torch.tensor([[[[2.0], [4.0]]]]), causal=True, block_size=1)[0, 0]
        tensor([[2.],
                [3.]])
    """
    if block_size < 1:
        raise ValueError(f"block_size is {block_size}: a tile has at least 1 token on each side")
    if q.shape[1] % k.shape[1] or k.shape[:3] != v.shape[:3]:
        raise ValueError(f"q has shape {tuple(q.shape)}, k {tuple(k.shape)} and v {tuple(v.shape)}: heads do not fit")
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    k, v = expand_kv_heads(k, q.shape[1]), expand_kv_heads(v, q.shape[1])
    result: Tensor = _FlashAttention.apply(q, k, v, causal, scale, block_size)  # pyright: ignore[reportAssignmentType]
    return result


class _FlashAttention(torch.autograd.Function):
    """Forward with a running softmax; backward from the log-sum-exp of each row."""

    @staticmethod
    def forward(ctx, q, k, v, causal: bool, scale: float, block_size: int):  # pyright: ignore[reportIncompatibleMethodOverride]
        mixed = q.new_zeros(*q.shape[:-1], v.shape[-1])
        log_sum = q.new_full(q.shape[:-1], -torch.inf)
        for rows in _blocks(q.shape[2], block_size):
            mixed[:, :, rows], log_sum[:, :, rows] = _attend(
                q[:, :, rows] * scale, k, v, _row(q, k, rows, causal, block_size)
            )
        ctx.save_for_backward(q, k, v, mixed, log_sum)
        ctx.options = causal, scale, block_size
        return mixed

    @staticmethod
    def backward(ctx, grad):  # pyright: ignore[reportIncompatibleMethodOverride]
        q, k, v, mixed, log_sum = ctx.saved_tensors
        causal, scale, block_size = ctx.options
        grad_q, grad_k, grad_v = torch.zeros_like(q), torch.zeros_like(k), torch.zeros_like(v)
        # The softmax's backward subtracts each row's sum of weight times gradient, which is this product.
        delta = (grad * mixed).sum(-1, keepdim=True)
        for rows in _blocks(q.shape[2], block_size):
            for columns, allowed in _row(q, k, rows, causal, block_size):
                scores = (q[:, :, rows] @ k[:, :, columns].mT) * scale
                weights = _hide(scores, allowed).sub_(_finite(log_sum[:, :, rows, None])).exp_()
                grad_v[:, :, columns] += weights.mT @ grad[:, :, rows]
                grad_scores = weights * (grad[:, :, rows] @ v[:, :, columns].mT - delta[:, :, rows]) * scale
                grad_q[:, :, rows] += grad_scores @ k[:, :, columns]
                grad_k[:, :, columns] += grad_scores.mT @ q[:, :, rows]
        return grad_q, grad_k, grad_v, None, None, None


def _attend(q: Tensor, k: Tensor, v: Tensor, tiles: Iterator[tuple[slice, Tensor | None]]) -> tuple[Tensor, Tensor]:
    """Go along one row of tiles; return the mean of the values, and the log of the sum of exponentials."""
    greatest = q.new_full((*q.shape[:-1], 1), -torch.inf)
    total = q.new_zeros(*q.shape[:-1], 1)
    mixed = q.new_zeros(*q.shape[:-1], v.shape[-1])
    for columns, allowed in tiles:
        scores = _hide(q @ k[:, :, columns].mT, allowed)
        new_greatest = torch.maximum(greatest, scores.amax(-1, keepdim=True))
        # What was summed so far was divided by exp(greatest): bring it to the new one.
        shrink = (greatest - _finite(new_greatest)).exp()
        weights = (scores - _finite(new_greatest)).exp()
        total = total * shrink + weights.sum(-1, keepdim=True)
        mixed = mixed * shrink + weights @ v[:, :, columns]
        greatest = new_greatest
    seen = total > 0
    return mixed / torch.where(seen, total, 1), (greatest + total.log()).squeeze(-1)


def _row(q: Tensor, k: Tensor, rows: slice, causal: bool, block_size: int) -> Iterator[tuple[slice, Tensor | None]]:
    """Yield the tiles of a block of queries: which keys, and a mask where causality cuts through the tile."""
    offset = k.shape[2] - q.shape[2]
    for columns in _blocks(k.shape[2], block_size):
        if causal and columns.start > rows.stop - 1 + offset:
            return  # this tile, and all to its right, is hidden whole
        allowed = None
        if causal and columns.stop - 1 > rows.start + offset:
            query = torch.arange(rows.start, rows.stop, device=q.device)[:, None] + offset
            allowed = query >= torch.arange(columns.start, columns.stop, device=q.device)
        yield columns, allowed


def _blocks(length: int, block_size: int) -> Iterator[slice]:
    for start in range(0, length, block_size):
        yield slice(start, min(start + block_size, length))


def _hide(scores: Tensor, allowed: Tensor | None) -> Tensor:
    return scores if allowed is None else scores.masked_fill(~allowed, -torch.inf)


def _finite(x: Tensor) -> Tensor:
    """Return 0 where a row has seen no key yet, since -inf minus -inf is NaN."""
    return torch.where(x.isinf(), 0.0, x)
