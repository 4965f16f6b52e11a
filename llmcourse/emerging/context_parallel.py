"""Ring attention: a text cut over processes, each of which holds its queries while keys and values travel round.

Liu et al. 2023 (arXiv:2310.01889). Nothing is approximated: each process merges what it attends to, part by part, as
:func:`llmcourse.emerging.merge_attention` does. With n processes each holds T / n tokens, and scores of (T / n)^2.

A causal mask makes the parts uneven: of n contiguous pieces the last has n times as many steps with work as the first,
and in every step some process has a whole tile, for which the others wait. In *zigzag* order the text is cut into 2n
blocks, and process r takes blocks r and 2n - 1 - r: each step then is half a tile for everyone.
"""

from typing import NamedTuple

import torch
import torch.distributed as dist
from jaxtyping import Float, Shaped
from torch import Tensor

from llmcourse.emerging.partial_attention import attend_partially, merge_attention, partial_attention_gradients

__all__ = ["ring_attention", "ring_join", "ring_split"]

ORDERS = ("zigzag", "contiguous")


def ring_split(
    x: Shaped[Tensor, "..."], n_processes: int, *, dim: int = -2, order: str = "zigzag"
) -> list[Shaped[Tensor, "..."]]:
    r"""Return each process's tokens of a text.

    Args:
        x: The whole text's tokens, positions, queries, ...
        n_processes: How many share it.
        dim: Which dimension counts tokens.
        order: "zigzag" gives process r blocks r and 2n - 1 - r of 2n, "contiguous" block r of n.

    Returns:
        One tensor for each process; positions have to be split likewise, since RoPE needs the true ones.

    Raises:
        ValueError: The order is unknown, or the tokens cannot be cut evenly.

    Example:
        >>> ring_split(torch.arange(8), 2, dim=0)
        [tensor([0, 1, 6, 7]), tensor([2, 3, 4, 5])]
    """
    blocks = _cut(x.shape[dim], n_processes, order)
    if order == "contiguous":
        return list(x.chunk(blocks, dim))
    pieces = x.chunk(blocks, dim)
    return [torch.cat([pieces[rank], pieces[-1 - rank]], dim) for rank in range(n_processes)]


def ring_join(parts: list[Shaped[Tensor, "..."]], *, dim: int = -2, order: str = "zigzag") -> Shaped[Tensor, "..."]:
    r"""Put together what :func:`ring_split` cut.

    Args:
        parts: One tensor for each process.
        dim: Which dimension counts tokens.
        order: As it was cut.

    Returns:
        Tokens in the order of the text.

    Raises:
        ValueError: The order is unknown, or a part cannot be halved.

    Example:
        >>> ring_join(ring_split(torch.arange(8), 2, dim=0), dim=0)
        tensor([0, 1, 2, 3, 4, 5, 6, 7])
    """
    _cut(sum(part.shape[dim] for part in parts), len(parts), order)
    if order == "contiguous":
        return torch.cat(parts, dim)
    halves = [part.chunk(2, dim) for part in parts]
    return torch.cat([first for first, _ in halves] + [second for _, second in reversed(halves)], dim)


def _cut(n_tokens: int, n_processes: int, order: str) -> int:
    """Return into how many blocks a text is cut."""
    if order not in ORDERS:
        raise ValueError(f"order is {order!r}: choose 'zigzag' or 'contiguous'")
    blocks = n_processes * (2 if order == "zigzag" else 1)
    if n_processes < 1 or n_tokens % blocks or not n_tokens:
        raise ValueError(f"{n_tokens} tokens cannot be cut into {blocks} equal blocks: pad them to a multiple")
    return blocks


def ring_attention(
    q: Float[Tensor, "B H T head_dim"],
    k: Float[Tensor, "B H_kv T head_dim"],
    v: Float[Tensor, "B H_kv T value_dim"],
    *,
    causal: bool = False,
    scale: float | None = None,
    order: str = "zigzag",
    group: dist.ProcessGroup | None = None,
) -> Float[Tensor, "B H T value_dim"]:
    r"""Attend from this process's tokens to those of all processes; every process has to call it.

    Args:
        q: Queries of this process's tokens, as :func:`ring_split` gives them.
        k: Their keys, rotated by their positions in the whole text; H_kv divides H.
        v: Their values.
        causal: A query sees no key of a later place in the whole text.
        scale: What multiplies the products; ``1 / sqrt(head_dim)`` unless given.
        order: How the text was split: it decides what a causal mask hides.
        group: The processes that take part; all by default.

    Returns:
        This process's rows of attention over the whole text, in the dtype of ``q``; worked out in fp32.

    Raises:
        ValueError: No processes are joined, the order is unknown, or this process's tokens cannot be halved.

    Cost: forward each process sends its keys and values n - 1 times, backward again, and their gradients n times in
    fp32. The next part is on its way while one is worked on. With "zigzag" a causal mask halves everyone's work.

    Example:
        >>> dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)  # a ring of one
        >>> q = k = torch.zeros(1, 1, 2, 4)
        >>> ring_attention(q, k, torch.tensor([[[[2.0], [4.0]]]]), causal=True)[0, 0]
        tensor([[2.],
                [3.]])
        >>> dist.destroy_process_group()
    """
    if not dist.is_initialized():
        raise ValueError("no processes are joined: start with torchrun --nproc-per-node 2, and call join_processes()")
    ring = _Ring(dist.get_rank(group), dist.get_world_size(group), causal, order, group)
    _cut(q.shape[2] * ring.size, ring.size, order)
    result: Tensor = _RingAttention.apply(q, k, v, scale, ring)  # pyright: ignore[reportAssignmentType]
    return result


class _Ring(NamedTuple):
    """Who this process is, and which part of a tile is seen."""

    rank: int
    size: int
    causal: bool
    order: str
    group: dist.ProcessGroup | None

    def seen(self, source: int, n_tokens: int) -> tuple[slice, slice, bool] | None:
        """Return which queries see which keys of another process, and whether a triangle hides some; None for none."""
        everything, half = slice(None), n_tokens // 2
        if not self.causal or source == self.rank:
            return everything, everything, self.causal
        if self.order == "contiguous":
            return (everything, everything, False) if source < self.rank else None
        # Process s has an early block s and a late block 2n - 1 - s. If s < r, its early one lies before both of ours
        # and its late one after both; if s > r, both of its lie between ours.
        return (everything, slice(half), False) if source < self.rank else (slice(half, None), everything, False)

    def start(self, outgoing: list[Tensor]) -> tuple[list[Tensor], list[dist.Work]]:
        """Begin to send tensors to the next process, and to receive those of the one before."""
        incoming = [torch.empty_like(tensor) for tensor in outgoing]
        after, before = (self.rank + 1) % self.size, (self.rank - 1) % self.size
        sends = [dist.P2POp(dist.isend, x, group=self.group, group_peer=after) for x in outgoing]
        receives = [dist.P2POp(dist.irecv, x, group=self.group, group_peer=before) for x in incoming]
        return incoming, dist.batch_isend_irecv(sends + receives)


class _RingAttention(torch.autograd.Function):
    @staticmethod
    def forward(ctx, q, k, v, scale: float | None, ring: _Ring):  # pyright: ignore[reportIncompatibleMethodOverride]
        wide = torch.promote_types(q.dtype, torch.float32)
        mixed = q.new_zeros(*q.shape[:-1], v.shape[-1], dtype=wide)
        log_sum = q.new_full(q.shape[:-1], -torch.inf, dtype=wide)
        travelling, works = [k.contiguous(), v.contiguous()], []
        for step in range(ring.size):
            held, arriving = travelling, travelling
            if step < ring.size - 1:
                arriving, works = ring.start(held)
            part = ring.seen((ring.rank - step) % ring.size, q.shape[2])
            _attend([mixed, log_sum], [q, *held], scale, part)
            _wait(works)
            travelling = arriving
        ctx.save_for_backward(q, k, v, mixed, log_sum)
        ctx.options = scale, ring
        return mixed.to(q.dtype)

    @staticmethod
    def backward(ctx, grad):  # pyright: ignore[reportIncompatibleMethodOverride]
        q, k, v, mixed, log_sum = ctx.saved_tensors
        scale, ring = ctx.options
        grad, delta = grad.to(mixed.dtype), (grad * mixed).sum(-1)
        grad_q = torch.zeros_like(q, dtype=mixed.dtype)
        travelling, works = [k.contiguous(), v.contiguous()], []
        sums = [torch.zeros_like(x, dtype=mixed.dtype) for x in travelling]  # what k and v of this place are owed
        for step in range(ring.size):
            held, arriving = travelling, travelling
            if step < ring.size - 1:
                arriving, works = ring.start(held)
            part = ring.seen((ring.rank - step) % ring.size, q.shape[2])
            _add_gradients([grad_q, *sums], [q, *held, grad, log_sum, delta], scale, part)
            _wait(works)
            travelling = arriving
            if ring.size > 1:
                sums, works = ring.start(sums)  # gradients follow their keys, and after n steps are at home
                _wait(works)
        return grad_q.to(q.dtype), sums[0].to(k.dtype), sums[1].to(v.dtype), None, None


def _attend(
    so_far: list[Tensor], tensors: list[Tensor], scale: float | None, part: tuple[slice, slice, bool] | None
) -> None:
    """Merge attention from this process's q to one process's k and v into what this process has so far."""
    if part is None:
        return
    rows, columns, triangle = part
    q, k, v = (x[:, :, where] for x, where in zip(tensors, (rows, columns, columns), strict=True))
    found = attend_partially(q, k, v, mask=_triangle(tensors[0], triangle), scale=scale)
    mixed, log_sum = (x[:, :, rows] for x in so_far)
    for target, merged in zip((mixed, log_sum), merge_attention(mixed, log_sum, *found), strict=True):
        target.copy_(merged)


def _add_gradients(
    sums: list[Tensor], tensors: list[Tensor], scale: float | None, part: tuple[slice, slice, bool] | None
) -> None:
    """Add what one process's keys give, to the gradients of this process's q and of those k and v."""
    if part is None:
        return
    rows, columns, triangle = part
    where = (rows, columns, columns)
    cut = [x[:, :, w] for x, w in zip(tensors, (*where, rows, rows, rows), strict=True)]
    found = partial_attention_gradients(*cut, mask=_triangle(tensors[0], triangle), scale=scale)
    for total, w, gradient in zip(sums, where, found, strict=True):
        total[:, :, w] += gradient


def _triangle(q: Tensor, wanted: bool) -> Tensor | None:
    """Return the causal mask among a process's own tokens, which stand in the order of the text."""
    n_tokens = q.shape[2]
    return torch.ones(n_tokens, n_tokens, dtype=torch.bool, device=q.device).tril() if wanted else None


def _wait(works: list[dist.Work]) -> None:
    while works:
        works.pop().wait()
