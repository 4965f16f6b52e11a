"""torch's fully_shard: ZeRO's third stage by the engine, which gathers the next block while one computes."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from llmcourse.pretraining.accumulation import accumulate_gradients
from llmcourse.pretraining.micro_batch import MicroBatch
from llmcourse.pretraining.parallelism.cut_state import (
    clip_cut_gradients,
    cut_optimizer_state,
    whole_optimizer_state,
)
from llmcourse.pretraining.parallelism.data_parallel import DataParallel
from llmcourse.pretraining.parallelism.loss_module import LossModule
from llmcourse.pretraining.strategy import LossFunction

__all__ = ["TorchFSDP", "distributed_like", "mesh_of", "whole_tensor"]


class TorchFSDP(DataParallel):
    r"""A :class:`llmcourse.pretraining.Strategy`: fully sharded data parallelism by torch's engine.

    Zhao et al. 2023 (PyTorch FSDP, arXiv:2304.11277), in its second form, whose parameters are DTensors cut by rows.
    What :class:`Zero` does at stage 3, with the sending hidden behind the computing.

    Args:
        device: Where this process computes.
        group: The processes that take part; all by default.

    Raises:
        ValueError: Processes have not been joined; in ``wrap``, the model has no blocks.
    """

    def wrap(self, model: nn.Module) -> nn.Module:
        """Give all processes the weights of the first, and cut each block, and what is outside of them."""
        blocks = getattr(model, "blocks", None)
        if blocks is None:
            raise ValueError(f"the model is a {type(model).__name__}: fully_shard needs one with blocks")
        mesh = mesh_of(self._group, self.device)
        whole = LossModule(model)
        for module in (*blocks, whole):  # one by one: a device need not have room for all
            for parameter in module.parameters():
                if not isinstance(parameter, DTensor):
                    parameter.data = self.share(parameter.data)
            fully_shard(module, mesh=mesh)
        return whole.to(self.device)

    def backward(
        self, model: nn.Module, batches: Sequence[MicroBatch], loss_of: LossFunction, *, scale: float = 1.0
    ) -> Float[Tensor, ""]:
        """Accumulate the parts of gradients, which the engine scatters with every micro-batch."""
        every = float(self.add_up(torch.tensor(float(sum(batch.n_kept for batch in batches)))))

        def loss_in(engine: nn.Module, batch: MicroBatch) -> Tensor:
            return engine(batch, loss_of)

        # The engine divides sums by the number of processes; a mean over all labels is divided already.
        scale = scale * self.world_size
        return self.add_up(accumulate_gradients(model, batches, loss_in, n_kept=every, scale=scale))

    def forward(self, model: nn.Module, batch: MicroBatch, loss_of: LossFunction) -> Float[Tensor, ""]:
        """Return this share's mean loss."""
        with torch.no_grad():
            return model(batch, loss_of)

    def clip(self, model: nn.Module, max_norm: float) -> Float[Tensor, ""]:
        """Clip the parts by the norm of the whole."""
        return clip_cut_gradients(model.parameters(), [], max_norm, self.add_up)

    def state_dict(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
        """Return both states, put together."""
        assert isinstance(model, LossModule)
        weights = {name: whole_tensor(tensor) for name, tensor in model.model.state_dict().items()}
        state = whole_optimizer_state(model, optimizer, lambda _, part: whole_tensor(part))
        return {"model": weights, "optimizer": state}

    def load_state_dict(self, model: nn.Module, optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
        """Take this process's part of both states in."""
        assert isinstance(model, LossModule)
        own, parameters = model.model.state_dict(), dict(model.named_parameters())
        weights = {name: distributed_like(own[name], whole) for name, whole in state["model"].items()}
        model.model.load_state_dict(weights)
        cut_optimizer_state(
            model, optimizer, state["optimizer"], lambda name, whole: distributed_like(parameters[name], whole)
        )


def mesh_of(group: dist.ProcessGroup | None, device: torch.device) -> DeviceMesh:
    """Return the processes of a group, or all, as the mesh that torch's engines ask for."""
    return DeviceMesh.from_group(group or dist.distributed_c10d._get_default_group(), device.type)


def whole_tensor(tensor: Tensor) -> Tensor:
    """Return all of a tensor that may be a DTensor, on the CPU."""
    return (tensor.full_tensor() if isinstance(tensor, DTensor) else tensor.detach()).cpu()


def distributed_like(tensor: Tensor, whole: Tensor) -> Tensor:
    """Return a whole tensor, cut as another one is."""
    if not isinstance(tensor, DTensor):
        return whole
    return distribute_tensor(whole.to(tensor.device), tensor.device_mesh, tensor.placements)
