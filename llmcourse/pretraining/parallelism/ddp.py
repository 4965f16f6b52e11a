"""torch's DistributedDataParallel, which sends a bucket of gradients while others are still computed."""

from collections.abc import Sequence
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from llmcourse.pretraining.accumulation import accumulate_gradients
from llmcourse.pretraining.micro_batch import MicroBatch
from llmcourse.pretraining.parallelism.data_parallel import DataParallel
from llmcourse.pretraining.parallelism.loss_module import LossModule
from llmcourse.pretraining.strategy import LossFunction

__all__ = ["TorchDDP"]


class TorchDDP(DataParallel):
    r"""A :class:`llmcourse.pretraining.Strategy`: data parallelism by torch's engine.

    Li et al. 2020 (arXiv:2006.15704). Beside :class:`DataParallel`, which gives the same numbers, it hides most of the
    sending behind the backward pass.

    Args:
        device: Where this process computes.
        group: The processes that take part; all by default.

    Raises:
        ValueError: Processes have not been joined.
    """

    def wrap(self, model: nn.Module) -> nn.Module:
        """Move the model to the device, and let the engine give all processes the weights of the first."""
        ids = [self.device] if self.device.type == "cuda" else None
        return DistributedDataParallel(
            LossModule(model.to(self.device)), device_ids=ids, process_group=self._group, broadcast_buffers=False
        )

    def backward(
        self, model: nn.Module, batches: Sequence[MicroBatch], loss_of: LossFunction, *, scale: float = 1.0
    ) -> Float[Tensor, ""]:
        """Accumulate gradients, and let the engine send them with the last micro-batch's backward pass."""
        assert isinstance(model, DistributedDataParallel)
        every = float(self.add_up(torch.tensor(float(sum(batch.n_kept for batch in batches)))))

        def loss_in(engine: nn.Module, batch: MicroBatch) -> Tensor:
            return engine(batch, loss_of)

        # The engine divides sums by the number of processes; a mean over all labels is divided already.
        scale = scale * self.world_size
        with model.no_sync():
            loss = accumulate_gradients(model, batches[:-1], loss_in, n_kept=every, scale=scale)
        last = accumulate_gradients(model, batches[-1:], loss_in, n_kept=every, scale=scale)
        return self.add_up(loss.to(self.device) + last)

    def forward(self, model: nn.Module, batch: MicroBatch, loss_of: LossFunction) -> Float[Tensor, ""]:
        """Return this share's mean loss."""
        return super().forward(_inner(model), batch, loss_of)

    def state_dict(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
        """Return both states."""
        return super().state_dict(_inner(model), optimizer)

    def load_state_dict(self, model: nn.Module, optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
        """Take both states in."""
        super().load_state_dict(_inner(model), optimizer, state)


def _inner(model: nn.Module) -> nn.Module:
    return cast(LossModule, model.module).model
