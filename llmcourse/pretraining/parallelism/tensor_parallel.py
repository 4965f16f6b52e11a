"""Tensor parallelism: a layer's matrix is cut by its outputs or by its inputs, and ranks compute their parts."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from llmcourse.architecture import Attention, GeluMLP, SwiGLU
from llmcourse.pretraining.accumulation import accumulate_gradients
from llmcourse.pretraining.micro_batch import MicroBatch
from llmcourse.pretraining.parallelism.cut_state import (
    clip_cut_gradients,
    cut_optimizer_state,
    whole_optimizer_state,
)
from llmcourse.pretraining.parallelism.processes import JoinedProcesses
from llmcourse.pretraining.strategy import LossFunction

__all__ = ["TensorParallel", "column_parallel_linear", "row_parallel_linear"]

_BY_OUTPUTS = {"attention": ("q", "k", "v"), "feed_forward": ("w1", "w_gate")}
_BY_INPUTS = {"attention": "out", "feed_forward": "w2"}


def column_parallel_linear(
    x: Float[Tensor, "*B inputs"],
    weight_shards: Sequence[Float[Tensor, "_ inputs"]],
    bias_shards: Sequence[Float[Tensor, " _"]],
) -> list[Float[Tensor, "*B _"]]:
    r"""Compute each rank's part of the outputs of a linear layer; nothing is sent.

    Shoeybi et al. 2019 (Megatron-LM, arXiv:1909.08053, section 3), who write Y = X A and cut A by columns; torch keeps
    A transposed, so that here rows of the weight are cut.

    Args:
        x: What every rank has.
        weight_shards: Each rank's rows of the weight.
        bias_shards: Each rank's part of the bias.

    Returns:
        Each rank's outputs.

    Example:
        >>> import torch
        >>> [y.tolist() for y in column_parallel_linear(torch.ones(2), torch.eye(2).split(1), torch.zeros(2).split(1))]
        [[1.0], [1.0]]
    """
    return [x @ weight.T + bias for weight, bias in zip(weight_shards, bias_shards, strict=True)]


def row_parallel_linear(
    x_shards: Sequence[Float[Tensor, "*B _"]],
    weight_shards: Sequence[Float[Tensor, "outputs _"]],
    bias: Float[Tensor, " outputs"],
    all_reduce: Callable[[list[Tensor]], list[Tensor]],
) -> list[Float[Tensor, "*B outputs"]]:
    r"""Compute a linear layer whose inputs are spread over ranks, as a column-parallel layer leaves them.

    Args:
        x_shards: Each rank's inputs.
        weight_shards: Each rank's columns of the weight.
        bias: What every rank has; added once, to the sum: on each rank it would come as many times as there are ranks.
        all_reduce: Adds up one tensor of each rank, and returns each rank's sum.

    Returns:
        Each rank's outputs, the same on all.

    Cost: one all-reduce of the outputs; with the layer before it, one a sublayer forward, and one backward.

    Example:
        >>> import torch
        >>> def all_reduce(tensors):
        ...     return [torch.stack(tensors).sum(0)] * len(tensors)
        >>> row_parallel_linear(torch.ones(2).split(1), torch.ones(1, 2).split(1, dim=1), torch.ones(1), all_reduce)
        [tensor([3.]), tensor([3.])]
    """
    partial = [x @ weight.T for x, weight in zip(x_shards, weight_shards, strict=True)]
    return [total + bias for total in all_reduce(partial)]


class TensorParallel(JoinedProcesses):
    r"""A :class:`llmcourse.pretraining.Strategy`: each process has some heads and some of the feed-forward features.

    Shoeybi et al. 2019 (Megatron-LM, arXiv:1909.08053, section 3). Queries, keys, values and the way into the
    feed-forward layer are cut by outputs, the ways out by inputs, so that a sublayer sends twice: the paper's g adds up
    its outputs in the forward pass, and f the gradients of its inputs in the backward pass. All processes read the
    same sequences. Embedding, norms and output projection are whole in each (the paper cuts the embedding as well).

    Args:
        device: Where this process computes.
        group: The processes that take part; all by default.

    Raises:
        ValueError: Processes have not been joined; in ``wrap``, heads or features do not divide, or a sublayer is not
            one that is cut here.

    Cost: 4 messages of B T D numbers a block and step, which nothing hides: fast links, within a machine.
    """

    def wrap(self, model: nn.Module) -> nn.Module:
        """Give all processes the weights of the first, and cut its blocks in place."""
        check_cuts(model, self.world_size)
        self._dims: dict[str, int] = {}  # along which a parameter is cut
        for number, block in enumerate(_blocks(model)):
            for name in ("attention", "feed_forward"):
                self._cut_sublayer(block.get_submodule(name), f"blocks.{number}.{name}", name)
        for name, parameter in model.named_parameters():
            if name not in self._dims:
                parameter.data = self.share(parameter.data)
        return model.to(self.device)

    def _cut_sublayer(self, sublayer: nn.Module, path: str, kind: str) -> None:
        for name in _BY_OUTPUTS[kind]:
            if hasattr(sublayer, name):
                for part, parameter in sublayer.get_submodule(name).named_parameters():
                    self._dims[f"{path}.{name}.{part}"] = 0
                    parameter.data = self._part(self.share(parameter.data), 0)
        last = sublayer.get_submodule(_BY_INPUTS[kind])
        assert isinstance(last, nn.Linear)
        self._dims[f"{path}.{_BY_INPUTS[kind]}.weight"] = 1
        last.weight.data = self._part(self.share(last.weight.data), 1)
        setattr(sublayer, _BY_INPUTS[kind], _RowParallel(last, self._group))
        # f stands once, on what goes into the sublayer: on each of q, k and v it would send three times as much.
        sublayer.register_forward_pre_hook(lambda _, inputs: (_Spread.apply(inputs[0], self._group), *inputs[1:]))

    def _part(self, whole: Tensor, dim: int) -> Tensor:
        return whole.chunk(self.world_size, dim)[self.rank].clone()  # a view would keep the whole in memory

    def _cut(self, name: str, whole: Tensor) -> Tensor:
        return self._part(whole, self._dims[name]) if name in self._dims else whole

    def _whole(self, name: str, part: Tensor) -> Tensor:
        dim = self._dims.get(name)
        if dim is None:
            return part.cpu()
        parts = [torch.empty_like(part) for _ in range(self.world_size)]
        dist.all_gather(parts, part.contiguous(), group=self._group)
        return torch.cat(parts, dim).cpu()

    def backward(
        self, model: nn.Module, batches: Sequence[MicroBatch], loss_of: LossFunction, *, scale: float = 1.0
    ) -> Float[Tensor, ""]:
        """Accumulate gradients; f and g make them whole, but for gains that each process applies to its heads."""
        loss = accumulate_gradients(model, batches, loss_of, scale=scale)
        for name, parameter in model.named_parameters():
            if parameter.grad is not None and ("q_norm" in name or "k_norm" in name):
                dist.all_reduce(parameter.grad, group=self._group)
        return loss

    def clip(self, model: nn.Module, max_norm: float) -> Float[Tensor, ""]:
        """Clip by the global norm, in which what all processes have counts once."""
        named = list(model.named_parameters())
        cut = [parameter for name, parameter in named if name in self._dims]
        shared = [parameter for name, parameter in named if name not in self._dims]
        return clip_cut_gradients(cut, shared, max_norm, self.add_up)

    def state_dict(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
        """Return both states, put together."""
        weights = {name: self._whole(name, part) for name, part in model.state_dict().items()}
        return {"model": weights, "optimizer": whole_optimizer_state(model, optimizer, self._whole)}

    def load_state_dict(self, model: nn.Module, optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
        """Take this process's part of both states in."""
        model.load_state_dict({name: self._cut(name, whole) for name, whole in state["model"].items()})
        cut_optimizer_state(model, optimizer, state["optimizer"], self._cut)


class _RowParallel(nn.Module):
    """A linear layer cut by its inputs, under the names of the whole one."""

    def __init__(self, part: nn.Linear, group: dist.ProcessGroup | None) -> None:
        super().__init__()
        self.weight, self.bias, self._group = part.weight, part.bias, group

    def forward(self, x: Float[Tensor, "*B inputs"]) -> Float[Tensor, "*B outputs"]:
        """Add up the processes' outputs (g), and the bias once."""
        y: Tensor = _AddUp.apply(functional.linear(x, self.weight), self._group)  # pyright: ignore[reportAssignmentType]
        return y if self.bias is None else y + self.bias


class _Spread(torch.autograd.Function):
    """The paper's f: nothing in the forward pass, a sum over processes in the backward pass."""

    @staticmethod
    def forward(ctx, x, group):  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx.group = group
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad):  # pyright: ignore[reportIncompatibleMethodOverride]
        grad = grad.contiguous().clone()  # others may read the gradient that came in
        dist.all_reduce(grad, group=ctx.group)
        return grad, None


class _AddUp(torch.autograd.Function):
    """The paper's g: a sum over processes in the forward pass, nothing in the backward pass."""

    @staticmethod
    def forward(ctx, x, group):  # pyright: ignore[reportIncompatibleMethodOverride]
        x = x.contiguous().clone()
        dist.all_reduce(x, group=group)
        return x

    @staticmethod
    def backward(ctx, grad):  # pyright: ignore[reportIncompatibleMethodOverride]
        return grad, None


def _blocks(model: nn.Module) -> nn.ModuleList:
    blocks = getattr(model, "blocks", None)
    if not isinstance(blocks, nn.ModuleList):
        raise ValueError(f"the model is a {type(model).__name__}: tensor parallelism cuts a Transformer's blocks")
    return blocks


def check_cuts(model: nn.Module, n: int) -> None:
    """Refuse a model whose heads or features a number of processes does not divide, or whose sublayers are others."""
    for block in _blocks(model):
        attention, feed_forward = block.get_submodule("attention"), block.get_submodule("feed_forward")
        if not isinstance(attention, Attention):
            raise ValueError(
                f"attention is a {type(attention).__name__}, which is not cut by heads: use another strategy"
            )
        if not isinstance(feed_forward, SwiGLU | GeluMLP):
            raise ValueError(
                f"feed_forward is a {type(feed_forward).__name__}: tensor parallelism cuts SwiGLU and GELU"
            )
        sizes = {
            "n_heads": attention.q.out_features // attention.head_dim,
            "n_kv_heads": attention.k.out_features // attention.head_dim,
            "d_ff": feed_forward.get_parameter("w1.weight").shape[0],
        }
        for name, size in sizes.items():
            if size % n:
                raise ValueError(
                    f"{name} is {size}, which {n} processes do not divide: choose a number of processes that does"
                )
