"""Attention that walks through blocks where they lie, as a GPU kernel does: nothing is gathered first."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["paged_attention"]


def paged_attention(
    q: Float[Tensor, "B H head_dim"],
    keys: Float[Tensor, "N block_size H_kv head_dim"],
    values: Float[Tensor, "N block_size H_kv value_dim"],
    block_tables: Int[Tensor, "B M"],
    lengths: Int[Tensor, "B"],
    *,
    scale: float | None = None,
) -> Float[Tensor, "B H value_dim"]:
    r"""Let the newest token of each sequence look at all of its tokens, block by block.

    Kwon et al. 2023, PagedAttention (arXiv:2309.06180). The softmax is put together on the way (Milakov and Gimelshein
    2018, arXiv:1805.02867): of the blocks so far, the largest score, the sum of the exponentials, and the weighted sum
    of the values; a block with a larger score scales down what was summed before.

    Args:
        q: One query for each sequence.
        keys: Of all blocks.
        values: Likewise.
        block_tables: For each sequence its blocks in order; what stands behind them is not looked at.
        lengths: Tokens of each sequence, the newest among them.
        scale: What multiplies the products; ``1 / sqrt(head_dim)`` unless given.

    Returns:
        What each query found, of its dtype; the sums are taken in fp32.

    Raises:
        ValueError: A sequence has no token, or more than its blocks hold, or heads cannot be shared equally.

    Cost: each key and value is read once, and H / H_kv queries use it. At a few FLOP a byte, memory is the limit.

    Example:
        >>> keys, values = torch.zeros(3, 2, 1, 4), torch.arange(6.0).view(3, 2, 1, 1)
        >>> paged_attention(torch.zeros(1, 1, 4), keys, values, torch.tensor([[2, 0]]), torch.tensor([3]))  # 4, 5, 0
        tensor([[[3.]]])
    """
    block_size, n_kv_heads = keys.shape[1], keys.shape[2]
    _check(q, n_kv_heads, lengths, block_tables.shape[1] * block_size)
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    grouped = q.float().unflatten(1, (n_kv_heads, -1)) * scale  # (B, H_kv, H / H_kv, head_dim)
    largest = grouped.new_full((*grouped.shape[:3], 1), -torch.inf)
    total = torch.zeros_like(largest)
    mixed = grouped.new_zeros(*grouped.shape[:3], values.shape[-1])
    for place in range(-(-int(lengths.max()) // block_size)):
        here = place * block_size + torch.arange(block_size, device=q.device) < lengths[:, None]
        # A sequence that has ended looks at a block of its own again, hidden; beyond its table there may be anything.
        block = torch.where(here[:, 0], block_tables[:, place], block_tables[:, 0]).long()
        scores = torch.einsum("bgqd,bsgd->bgqs", grouped, keys[block].float())
        scores = scores.masked_fill(~here[:, None, None, :], -torch.inf)
        larger = torch.maximum(largest, scores.amax(-1, keepdim=True))
        weights, shrink = (scores - larger).exp(), (largest - larger).exp()
        # A weight of 0 times an empty place's NaN would still be NaN.
        seen = values[block].float().masked_fill(~here[:, :, None, None], 0.0)
        mixed = mixed * shrink + torch.einsum("bgqs,bsgd->bgqd", weights, seen)
        total, largest = total * shrink + weights.sum(-1, keepdim=True), larger
    return (mixed / total).flatten(1, 2).to(q.dtype)


def _check(q: Tensor, n_kv_heads: int, lengths: Tensor, room: int) -> None:
    if q.shape[1] % n_kv_heads:
        raise ValueError(f"{n_kv_heads} key-value heads cannot serve {q.shape[1]} query heads equally")
    if lengths.numel() == 0 or int(lengths.min()) < 1 or int(lengths.max()) > room:
        raise ValueError(f"lengths are {lengths.tolist()}: each is at least 1, and at most {room}, as the tables have")
