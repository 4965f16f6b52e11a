"""Tensor parallelism: a layer's matrix is cut by its outputs or by its inputs, and ranks compute their parts."""

from collections.abc import Callable, Sequence

from jaxtyping import Float
from torch import Tensor

__all__ = ["column_parallel_linear", "row_parallel_linear"]


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
