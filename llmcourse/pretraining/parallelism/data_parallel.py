"""Data parallelism: each process has the whole model and a share of the batch, and gradients are averaged."""

from collections.abc import Callable, Iterator, Sequence

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor, nn

from llmcourse.pretraining.accumulation import accumulate_gradients
from llmcourse.pretraining.micro_batch import MicroBatch
from llmcourse.pretraining.parallelism.processes import JoinedProcesses
from llmcourse.pretraining.strategy import LossFunction

__all__ = ["DataParallel", "average_gradients"]

_BUCKET_BYTES = 25 * 2**20  # a message as large as this is no longer dominated by its latency


def average_gradients(
    gradients: Sequence[Float[Tensor, "*S"]],
    n_kept: Sequence[int],
    all_reduce: Callable[[list[Tensor]], list[Tensor]],
) -> list[Float[Tensor, "*S"]]:
    r"""Average gradients of ranks as if all their batches had been one: to be read.

    Each rank's loss is a mean over *its* labels. A mean of means would count a label more where few others are kept.

    Args:
        gradients: Each rank's, of its mean loss; not changed.
        n_kept: Over how many labels each rank's loss is the mean.
        all_reduce: Adds up one tensor of each rank, and returns each rank's sum.

    Returns:
        Each rank's average; zeros where no label counts on any rank.

    Example:
        >>> def all_reduce(tensors):
        ...     return [torch.stack(tensors).sum(0)] * len(tensors)
        >>> average_gradients([torch.tensor(1.0), torch.tensor(5.0)], [3, 1], all_reduce)
        [tensor(2.), tensor(2.)]
    """
    totals = all_reduce([gradient * kept for gradient, kept in zip(gradients, n_kept, strict=True)])
    counts = all_reduce([torch.tensor(float(kept)) for kept in n_kept])
    return [total / count.clamp(min=1) for total, count in zip(totals, counts, strict=True)]


class DataParallel(JoinedProcesses):
    r"""A :class:`llmcourse.pretraining.Strategy`: one model in each process, gradients added up once a step.

    Li et al. 2020 (PyTorch Distributed, arXiv:2006.15704) send a bucket of gradients while others are still computed;
    here they are sent after the backward pass, which is simpler and gives the same numbers.

    Args:
        device: Where this process computes.
        group: The processes that take part; all by default.

    Raises:
        ValueError: Processes have not been joined.

    Cost: each process keeps the whole model, its gradients and its optimizer, and sends about twice the size of the
        gradients a step.
    """

    def __init__(self, device: torch.device | str = "cpu", *, group: dist.ProcessGroup | None = None) -> None:
        super().__init__(device, group=group)
        self.data_rank, self.data_size = self.rank, self.world_size

    def wrap(self, model: nn.Module) -> nn.Module:
        """Move the model to the device, and give all processes the weights of the first."""
        return self.share_weights(model)

    def backward(
        self, model: nn.Module, batches: Sequence[MicroBatch], loss_of: LossFunction, *, scale: float = 1.0
    ) -> Float[Tensor, ""]:
        """Accumulate gradients as parts of the mean over all processes' labels, then add them up."""
        n_kept = torch.tensor(float(sum(batch.n_kept for batch in batches)), device=self.device)
        whole = float(self.reduce_sum(n_kept))
        loss = accumulate_gradients(model, batches, loss_of, n_kept=whole, scale=scale)
        for bucket in _buckets([parameter for parameter in model.parameters() if parameter.requires_grad]):
            self._add_up(bucket)
        return self.reduce_sum(loss)

    def _add_up(self, parameters: list[nn.Parameter]) -> None:
        # A parameter that no token of this process reached has no gradient here, but perhaps elsewhere.
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        message = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(message, group=self._group)
        for parameter, part in zip(parameters, message.split([p.numel() for p in parameters]), strict=True):
            parameter.grad = part.view_as(parameter)

    def reduce_sum(self, value: Tensor) -> Tensor:
        """Return the sum over all processes."""
        return self.add_up(value)


def _buckets(parameters: Sequence[nn.Parameter]) -> Iterator[list[nn.Parameter]]:
    """Group parameters of one dtype, the last ones first, since their gradients are ready first."""
    bucket: list[nn.Parameter] = []
    size = 0
    for parameter in reversed(parameters):
        nbytes = parameter.numel() * parameter.element_size()
        if bucket and (size + nbytes > _BUCKET_BYTES or parameter.dtype != bucket[0].dtype):
            yield bucket
            bucket, size = [], 0
        bucket.append(parameter)
        size += nbytes
    if bucket:
        yield bucket
