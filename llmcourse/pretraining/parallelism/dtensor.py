"""torch's tensor parallelism: DTensors, from whose placements the engine works out what to send."""

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, Replicate
from torch.distributed.tensor.parallel import (
    ColwiseParallel,
    ParallelStyle,
    PrepareModuleInput,
    RowwiseParallel,
    parallelize_module,
)

from llmcourse.pretraining.parallelism.fsdp import distributed_like, mesh_of, whole_tensor
from llmcourse.pretraining.parallelism.tensor_parallel import TensorParallel, check_cuts

__all__ = ["TorchTensorParallel"]


class TorchTensorParallel(TensorParallel):
    r"""A :class:`llmcourse.pretraining.Strategy`: the cuts of :class:`TensorParallel`, made by torch's engine.

    Args:
        device: Where this process computes.
        group: The processes that take part; all by default.

    Raises:
        ValueError: Processes have not been joined; in ``wrap``, heads or features do not divide, or a sublayer is not
            one that is cut here.
    """

    def wrap(self, model: nn.Module) -> nn.Module:
        """Give all processes the weights of the first, and let the engine cut its blocks."""
        check_cuts(model, self.world_size)
        mesh = mesh_of(self._group, self.device)
        for block in model.get_submodule("blocks").children():
            parallelize_module(block, mesh, _plan(block))  # cuts the first process's weights
        for parameter in model.parameters():
            if not isinstance(parameter, DTensor):
                parameter.data = self.share(parameter.data)
        model.to(self.device)
        self._like = dict(model.named_parameters())
        self._dims = {name: 0 for name, parameter in self._like.items() if isinstance(parameter, DTensor)}
        # A bias after the sum is whole in each process, and counts once in the norm.
        self._dims = {name: dim for name, dim in self._dims.items() if not _is_whole(self._like[name])}
        return model

    def _cut(self, name: str, whole: Tensor) -> Tensor:
        return distributed_like(self._like[name], whole) if name in self._like else whole

    def _whole(self, name: str, part: Tensor) -> Tensor:
        return whole_tensor(part)


def _plan(block: nn.Module) -> dict[str, ParallelStyle]:
    """Say how each linear layer is cut; what comes in is marked once a sublayer, so that one sum goes back."""
    plan: dict[str, ParallelStyle] = {}
    for sublayer, more in (("attention", (None,)), ("feed_forward", ())):  # attention is given a rotation, too
        layouts = (Replicate(), *more)
        plan[sublayer] = PrepareModuleInput(input_layouts=layouts, desired_input_layouts=layouts)
    for name, module in block.named_modules():
        if isinstance(module, nn.Linear):
            plan[name] = RowwiseParallel() if name.endswith((".out", ".w2")) else ColwiseParallel()
    return plan


def _is_whole(parameter: torch.Tensor) -> bool:
    return isinstance(parameter, DTensor) and all(placement.is_replicate() for placement in parameter.placements)
