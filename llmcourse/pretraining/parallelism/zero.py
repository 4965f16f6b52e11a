"""ZeRO: data parallelism in which each process keeps a part of what all of them kept."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor, nn

from llmcourse.pretraining.accumulation import accumulate_gradients
from llmcourse.pretraining.micro_batch import MicroBatch
from llmcourse.pretraining.parallelism.cut_state import (
    clip_cut_gradients,
    cut_optimizer_state,
    whole_optimizer_state,
)
from llmcourse.pretraining.parallelism.data_parallel import DataParallel
from llmcourse.pretraining.parallelism.sharded_parameter import ShardedParameter
from llmcourse.pretraining.strategy import LossFunction

__all__ = ["Zero", "zero_memory"]


def zero_memory(
    n_parameters: float,
    n_devices: int,
    stage: int,
    *,
    parameter_bytes: float = 2,
    gradient_bytes: float = 2,
    optimizer_bytes: float = 12,
) -> float:
    r"""Return the bytes that one device keeps under ZeRO.

    Rajbhandari et al. 2019 (arXiv:1910.02054, figure 1); the paper's Psi, N_d and K are ``n_parameters``,
    ``n_devices`` and ``optimizer_bytes``. The defaults are Adam's with weights in 16 bits: an fp32 copy and two
    averages.

    Args:
        n_parameters: Of the model.
        n_devices: Over which it is spread.
        stage: 0 for plain data parallelism; 1 cuts the optimizer's state, 2 gradients too, 3 weights too.
        parameter_bytes: Of a weight.
        gradient_bytes: Of its gradient.
        optimizer_bytes: Of the optimizer's state for it.

    Returns:
        Bytes, without activations.

    Raises:
        ValueError: There is no such stage, or no device; quotes it.

    Example:
        >>> [round(zero_memory(7.5e9, 64, stage) / 1e9, 1) for stage in range(4)]  # GB
        [120.0, 31.4, 16.6, 1.9]
    """
    if stage not in (0, 1, 2, 3):
        raise ValueError(f"stage is {stage!r}: choose 0, 1, 2 or 3")
    if n_devices < 1:
        raise ValueError(f"n_devices is {n_devices}: it is at least 1")
    optimizer = optimizer_bytes / n_devices if stage >= 1 else optimizer_bytes
    gradient = gradient_bytes / n_devices if stage >= 2 else gradient_bytes
    parameter = parameter_bytes / n_devices if stage >= 3 else parameter_bytes
    return n_parameters * (parameter + gradient + optimizer)


class Zero(DataParallel):
    r"""A :class:`llmcourse.pretraining.Strategy`: data parallel, where no two processes keep the same state.

    Rajbhandari et al. 2019 (arXiv:1910.02054), section 5. At every stage the optimizer has a part of each parameter:
    stage 1 (P_os) scatters gradients after the last micro-batch; stage 2 (P_os+g) each as soon as it is there; stage 3
    (P_os+g+p) also gathers a block's parameters only while it computes, forward and again backward.

    Args:
        stage: 1, 2 or 3.
        device: Where this process computes.
        group: The processes that take part; all by default.

    Raises:
        ValueError: There is no such stage, or processes have not been joined; in ``wrap``, stage 3 finds no blocks.

    Cost: with Psi parameters a step sends 2 Psi at stages 1 and 2, as data parallelism does, and 3 Psi at stage 3; from
        stage 2 on, gradients go, and at stage 3 parameters come, for every micro-batch.
    """

    def __init__(
        self, stage: int, device: torch.device | str = "cpu", *, group: dist.ProcessGroup | None = None
    ) -> None:
        if stage not in (1, 2, 3):
            raise ValueError(f"stage is {stage!r}: choose 1, 2 or 3")
        super().__init__(device, group=group)
        self.stage = stage

    def wrap(self, model: nn.Module) -> nn.Module:
        """Give all processes the weights of the first, and return what holds this process's parts."""
        blocks = getattr(model, "blocks", None)
        if self.stage == 3 and blocks is None:
            raise ValueError(f"the model is a {type(model).__name__}: stage 3 gathers the blocks of one that has them")
        parts = _Parts(model, list(self._shard(model)))
        model.to(self.device)  # buffers; parameters are there
        for sharded in parts.sharded if self.stage > 1 else ():
            sharded.whole.register_post_accumulate_grad_hook(lambda _, own=sharded: self._scatter(own))
        for block in blocks if self.stage == 3 and blocks is not None else ():
            own = [parts.of(parameter) for parameter in block.parameters() if parameter.requires_grad]
            parts.outside = [sharded for sharded in parts.outside if sharded not in own]
            block.register_forward_pre_hook(lambda *_, own=own: _gather(own))
            block.register_forward_hook(lambda *_, own=own: _free(own))
            block.register_full_backward_pre_hook(lambda *_, own=own: _gather(own))
        return parts

    def _shard(self, model: nn.Module) -> Iterator[ShardedParameter]:
        """Bring parameters to the device one by one: at stage 3 it need not have room for all."""
        for parameter in model.parameters():
            parameter.data = self.share(parameter.data)
            if parameter.requires_grad:
                sharded = ShardedParameter(parameter, self._group, can_free=self.stage == 3)
                if self.stage == 3:
                    sharded.free()
                yield sharded

    def _scatter(self, sharded: ShardedParameter) -> None:
        sharded.scatter_gradient()
        if self.stage == 3:
            sharded.free()  # its gradient is the last thing that it was needed for

    def backward(
        self, model: nn.Module, batches: Sequence[MicroBatch], loss_of: LossFunction, *, scale: float = 1.0
    ) -> Float[Tensor, ""]:
        """Accumulate gradients as parts of the mean over all processes' labels, and scatter their sums."""
        assert isinstance(model, _Parts)

        def gathered_loss(whole: nn.Module, batch: MicroBatch) -> Tensor:
            _gather(model.outside)  # after a step or, at stage 3, a micro-batch; else it is there
            return loss_of(whole, batch)

        n_kept = torch.tensor(float(sum(batch.n_kept for batch in batches)))
        every = float(self.add_up(n_kept))
        loss = accumulate_gradients(model.whole, batches, gathered_loss, n_kept=every, scale=scale)
        for sharded in model.sharded if self.stage == 1 else ():
            sharded.scatter_gradient()
        return self.add_up(loss)

    def forward(self, model: nn.Module, batch: MicroBatch, loss_of: LossFunction) -> Float[Tensor, ""]:
        """Return this share's mean loss."""
        assert isinstance(model, _Parts)
        _gather(model.outside)
        loss = super().forward(model.whole, batch, loss_of)
        if self.stage == 3:
            _free(model.outside)
        return loss

    def clip(self, model: nn.Module, max_norm: float) -> Float[Tensor, ""]:
        """Clip the parts by the norm of the whole."""
        return clip_cut_gradients(model.parameters(), [], max_norm, self.add_up)

    def state_dict(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
        """Return both states, put together."""
        assert isinstance(model, _Parts)
        weights = {name: model.whole_of(tensor) for name, tensor in model.whole.state_dict(keep_vars=True).items()}

        def gather(name: str, part: Tensor) -> Tensor:
            return model.named(name).whole_of(part)

        return {"model": weights, "optimizer": whole_optimizer_state(model, optimizer, gather)}

    @torch.no_grad()
    def load_state_dict(self, model: nn.Module, optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
        """Take this process's part of both states in."""
        assert isinstance(model, _Parts)
        for name, tensor in model.whole.state_dict(keep_vars=True).items():
            model.fill(tensor, state["model"][name])

        def cut(name: str, whole: Tensor) -> Tensor:
            return model.named(name).part_of(whole)

        cut_optimizer_state(model, optimizer, state["optimizer"], cut)


class _Parts(nn.Module):
    """This process's parts, as what an optimizer finds; the model that computes is none of its modules."""

    def __init__(self, whole: nn.Module, sharded: list[ShardedParameter]) -> None:
        super().__init__()
        self.shards = nn.ParameterList([one.shard for one in sharded])
        self.__dict__["whole"] = whole
        self.whole: nn.Module
        self.sharded, self.outside = sharded, list(sharded)  # outside: not gathered by a block
        self._numbers = {id(one.whole): number for number, one in enumerate(sharded)}

    def of(self, parameter: Tensor) -> ShardedParameter:
        return self.sharded[self._numbers[id(parameter)]]

    def named(self, name: str) -> ShardedParameter:
        return self.sharded[int(name.removeprefix("shards."))]

    def whole_of(self, tensor: Tensor) -> Tensor:
        """Return all of a parameter, or a buffer as it is."""
        if id(tensor) not in self._numbers:
            return tensor.detach().cpu()
        return self.of(tensor).whole_of(self.of(tensor).shard)

    def fill(self, tensor: Tensor, value: Tensor) -> None:
        if id(tensor) in self._numbers:
            self.of(tensor).shard.copy_(self.of(tensor).part_of(value))
        else:
            tensor.copy_(value)

    def train(self, mode: bool = True) -> "_Parts":
        self.whole.train(mode)
        return super().train(mode)


def _gather(sharded: Iterable[ShardedParameter]) -> None:
    for one in sharded:
        one.gather()


def _free(sharded: Iterable[ShardedParameter]) -> None:
    for one in sharded:
        one.free()
