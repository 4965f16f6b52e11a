"""How a training step is spread over processes: what the trainer asks for, and the answer of one process alone.

The trainer says *what* a step is; a strategy says *where*: data parallel, sharded, tensor parallel and pipeline each
implement :class:`Strategy`, and the trainer is the same for all of them.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from llmcourse.pretraining.accumulation import accumulate_gradients
from llmcourse.pretraining.clipping import clip_grad_norm
from llmcourse.pretraining.micro_batch import MicroBatch

__all__ = ["LossFunction", "SingleProcess", "Strategy"]


class LossFunction(Protocol):
    """The objective: of a model and what goes in, or, where the model is spread over stages, of what came out."""

    def __call__(self, model: nn.Module, batch: MicroBatch) -> Float[Tensor, ""]:
        """Return the mean loss over the batch's kept labels."""
        ...

    def of_logits(self, logits: Float[Tensor, "B T V"], batch: MicroBatch) -> Float[Tensor, ""]:
        """Return the same from logits that are there already, as on a pipeline's last stage."""
        ...

    def autocast(self, device: torch.device) -> AbstractContextManager:
        """Return the context in which a stage computes: what sets the precision of matrix products."""
        ...


@runtime_checkable
class Strategy(Protocol):
    r"""What the trainer asks of the processes that train one model together.

    All processes call all methods in the same order. Processes with the same ``data_rank`` see the same sequences, so
    that tensor and pipeline parallel processes have one share of the data between them.

    Attributes:
        rank: This process, from 0.
        world_size: How many there are.
        data_rank: Which share of each batch this process takes, from 0.
        data_size: In how many shares batches are cut.
        device: Where this process computes.
    """

    rank: int
    world_size: int
    data_rank: int
    data_size: int
    device: torch.device

    @property
    def is_main(self) -> bool:
        """Whether this process prints and writes files: one of them does."""
        ...

    def wrap(self, model: nn.Module) -> nn.Module:
        """Move a model to its place and cut or wrap it; the optimizer is made of the result's parameters."""
        ...

    def backward(
        self, model: nn.Module, batches: Sequence[MicroBatch], loss_of: LossFunction, *, scale: float = 1.0
    ) -> Float[Tensor, ""]:
        """Run forward and backward on this process's micro-batches, and synchronise the gradients.

        Args:
            model: What ``wrap`` returned.
            batches: This process's micro-batches.
            loss_of: The mean loss of a micro-batch.
            scale: Multiplies gradients, not the loss that is returned.

        Returns:
            The mean loss over the kept labels of *all* processes, the same in each of them. ``.grad`` then holds
            ``scale`` times its gradient (its own part of it where parameters are sharded).
        """
        ...

    def reduce_sum(self, value: Tensor) -> Tensor:
        """Return the sum of a tensor over all shares of the data, the same in each process."""
        ...

    def any(self, flag: bool) -> bool:
        """Return whether any process says yes: all of them stop together."""
        ...

    def clip(self, model: nn.Module, max_norm: float) -> Float[Tensor, ""]:
        """Clip synchronised, unscaled gradients by the norm over the whole model; returns that norm."""
        ...

    def state_dict(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
        """Return ``{"model": ..., "optimizer": ...}``, whole and as a single process has it, in the main process.

        The others take part, and may return an empty dictionary.
        """
        ...

    def load_state_dict(self, model: nn.Module, optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
        """Take in what ``state_dict`` returned, which every process has read from the file."""
        ...

    def forward(self, model: nn.Module, batch: MicroBatch, loss_of: LossFunction) -> Float[Tensor, ""]:
        """Return this share's mean loss of a batch, without gradients: for validation."""
        ...


class SingleProcess:
    """One process alone: nothing is cut, and nothing to wait for.

    Args:
        device: Where to compute; the CPU by default.

    Example:
        >>> strategy = SingleProcess()
        >>> strategy.is_main, strategy.world_size, isinstance(strategy, Strategy)
        (True, 1, True)
    """

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self.rank, self.world_size = 0, 1
        self.data_rank, self.data_size = 0, 1
        self.device = torch.device(device)

    @property
    def is_main(self) -> bool:
        """True."""
        return True

    def wrap(self, model: nn.Module) -> nn.Module:
        """Return the model, on the device."""
        return model.to(self.device)

    def backward(
        self, model: nn.Module, batches: Sequence[MicroBatch], loss_of: LossFunction, *, scale: float = 1.0
    ) -> Float[Tensor, ""]:
        """Accumulate gradients over the micro-batches."""
        return accumulate_gradients(model, batches, loss_of, scale=scale)

    def reduce_sum(self, value: Tensor) -> Tensor:
        """Return the value."""
        return value

    def any(self, flag: bool) -> bool:
        """Return the flag."""
        return flag

    def clip(self, model: nn.Module, max_norm: float) -> Float[Tensor, ""]:
        """Clip by the global norm."""
        return clip_grad_norm(model.parameters(), max_norm)

    def state_dict(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
        """Return both states."""
        return {"model": model.state_dict(), "optimizer": optimizer.state_dict()}

    def load_state_dict(self, model: nn.Module, optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
        """Take both states in."""
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])

    def forward(self, model: nn.Module, batch: MicroBatch, loss_of: LossFunction) -> Float[Tensor, ""]:
        """Return the loss."""
        with torch.no_grad():
            return loss_of(model, batch)
