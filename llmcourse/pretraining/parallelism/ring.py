"""All-reduce over a ring: every rank ends with the sum of all, and no rank sends more than twice its own tensor."""

from collections.abc import Callable, Sequence

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor

__all__ = ["ring_all_reduce", "ring_all_reduce_"]


def ring_all_reduce(
    tensors: Sequence[Float[Tensor, "*S"]], send: Callable[[int, Tensor], None], receive: Callable[[int], Tensor]
) -> list[Float[Tensor, "*S"]]:
    r"""Add up the tensors of all ranks, all of which are played by this process: to be read.

    Patarasuk & Yuan 2009. Tensors are cut into as many chunks as there are ranks. In the first n - 1 steps sums travel
    round, each collecting one rank's chunk at a stop; then each rank has one finished chunk. In the next n - 1 steps
    the finished chunks travel round.

    Args:
        tensors: Each rank's, all of one shape; not changed.
        send: Sends a tensor from a rank, its first argument, to the next one.
        receive: Returns the oldest tensor that was sent to a rank.

    Returns:
        Each rank's sum of all.

    Cost: a rank sends 2 (n - 1) / n times its tensor, whatever n is, in 2 (n - 1) messages.

    Example:
        >>> boxes = [[], []]
        >>> ring_all_reduce(
        ...     [torch.ones(3), torch.ones(3)],
        ...     lambda rank, tensor: boxes[(rank + 1) % 2].append(tensor.clone()),
        ...     lambda rank: boxes[rank].pop(0),
        ... )
        [tensor([2., 2., 2.]), tensor([2., 2., 2.])]
    """
    n = len(tensors)
    chunks = [list(tensor.clone().flatten().tensor_split(n)) for tensor in tensors]
    for step in range(n - 1):
        for rank in range(n):
            send(rank, chunks[rank][(rank - step) % n])
        for rank in range(n):
            chunks[rank][(rank - 1 - step) % n] += receive(rank)
    for step in range(n - 1):
        for rank in range(n):
            send(rank, chunks[rank][(rank + 1 - step) % n])
        for rank in range(n):
            chunks[rank][(rank - step) % n] = receive(rank)
    return [torch.cat(chunks[rank]).reshape(tensors[rank].shape) for rank in range(n)]


def ring_all_reduce_(tensor: Float[Tensor, "*S"], group: dist.ProcessGroup | None = None) -> Float[Tensor, "*S"]:
    r"""Add up the tensors of all processes, in place: the same, where each rank is a process of its own.

    Args:
        tensor: This process's, contiguous; the sum is written into it.
        group: The processes that take part; all by default.

    Returns:
        The tensor.

    Raises:
        ValueError: The tensor is not contiguous.

    Cost: as above. A step's two messages go at the same time, since links carry both ways.
    """
    if not tensor.is_contiguous():
        raise ValueError(f"tensor has strides {tensor.stride()}: make it contiguous, its memory is sent as it is")
    n, rank = dist.get_world_size(group), dist.get_rank(group)
    chunks = tensor.view(-1).tensor_split(n)
    for step in range(n - 1):
        incoming = chunks[(rank - 1 - step) % n]
        received = torch.empty_like(incoming)
        _exchange(chunks[(rank - step) % n], received, group)
        incoming += received
    for step in range(n - 1):
        _exchange(chunks[(rank + 1 - step) % n], chunks[(rank - step) % n], group)
    return tensor


def _exchange(outgoing: Tensor, incoming: Tensor, group: dist.ProcessGroup | None) -> None:
    """Send to the next process and receive from the one before; chunks without a number are not sent."""
    n, rank = dist.get_world_size(group), dist.get_rank(group)
    operations = []
    if outgoing.numel():
        operations.append(dist.P2POp(dist.isend, outgoing, group=group, group_peer=(rank + 1) % n))
    if incoming.numel():
        operations.append(dist.P2POp(dist.irecv, incoming, group=group, group_peer=(rank - 1) % n))
    for work in dist.batch_isend_irecv(operations) if operations else ():
        work.wait()
