"""A parameter of which each process keeps a part: gathered before it is used, its gradient scattered after."""

from collections.abc import Callable

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["ShardedParameter"]

# torch 2.13 has new names for the two, and warns of the old ones, which 2.11 and 2.12 know alone.
_all_gather: Callable[..., object] = getattr(dist, "all_gather_single", None) or dist.all_gather_into_tensor
_reduce_scatter: Callable[..., object] = getattr(dist, "reduce_scatter_single", None) or dist.reduce_scatter_tensor


class ShardedParameter:
    r"""One parameter of a model, laid out flat and cut into as many equal parts as there are processes.

    Zeros fill the last part up; their gradients are zeros, so that they stay. A part has as many dimensions as the
    whole, since a trainer tells matrices, which decay, from vectors by that.

    Attributes:
        whole: The model's parameter.
        shard: This process's part, which an optimizer is given.

    Args:
        whole: The parameter, with the same values in all processes; its memory is laid out anew.
        group: The processes.
        can_free: Keep the part in memory of its own, so that the whole can go. By default it is a view of the whole.

    Cost: a gathering and a scattering each send the parameter's size, less this process's part.
    """

    def __init__(self, whole: nn.Parameter, group: dist.ProcessGroup | None, *, can_free: bool = False) -> None:
        self.whole, self._group = whole, group
        self._n, self._rank = dist.get_world_size(group), dist.get_rank(group)
        self._flat = self._padded(whole.data)
        # Through .data, here and below, autograd does not see that memory is exchanged or filled again.
        whole.data = self._flat[: whole.numel()].view_as(whole)
        part = self._part(self._flat)
        self.shard = nn.Parameter(part.clone() if can_free else part)
        self._seen = self.shard._version

    def gather(self) -> None:
        """Fill the whole parameter, unless it is there and no part has changed."""
        storage = self._flat.untyped_storage()
        if storage.size() and self._seen == self.shard._version:
            return
        if not storage.size():
            storage.resize_(self._flat.numel() * self._flat.element_size())
        _all_gather(self._flat, self.shard.detach().flatten(), group=self._group)
        self._seen = self.shard._version

    def free(self) -> None:
        """Give the whole's memory back. What autograd has saved of it is good again once it is gathered again."""
        self._flat.untyped_storage().resize_(0)

    def scatter_gradient(self) -> None:
        """Add this process's part of the gradients' sum to ``shard.grad``, and drop the whole gradient."""
        gradient, self.whole.grad = self.whole.grad, None
        if gradient is None:  # no token of this process reached it
            gradient = self.shard.new_zeros(self.whole.shape)
        own = torch.empty(self.shard.shape, dtype=gradient.dtype, device=gradient.device)
        _reduce_scatter(own.view(-1), self._padded(gradient), group=self._group)
        self.shard.grad = own if self.shard.grad is None else self.shard.grad + own

    def whole_of(self, part: Float[Tensor, "*S"]) -> Float[Tensor, "*W"]:
        """Put together what has the shard's shape: the shard, or an optimizer's averages; on the CPU."""
        flat = part.new_empty(self._flat.shape)
        _all_gather(flat, part.detach().flatten(), group=self._group)
        return flat[: self.whole.numel()].view(self.whole.shape).cpu()

    def part_of(self, whole: Float[Tensor, "*W"]) -> Float[Tensor, "*S"]:
        """Cut this process's part out of what has the whole's shape."""
        return self._part(self._padded(whole.to(self._flat.device))).clone()

    def _padded(self, whole: Tensor) -> Tensor:
        size = -(-self.whole.numel() // self._n) * self._n
        flat = whole.new_zeros(size)
        flat[: whole.numel()] = whole.flatten()
        return flat

    def _part(self, flat: Tensor) -> Tensor:
        return flat.chunk(self._n)[self._rank].view(*[1] * (self.whole.ndim - 1), -1)
