"""The ways to spread a model over processes, by name: written out to be read, or torch's engines."""

from collections.abc import Callable

import torch
import torch.distributed as dist

from llmcourse.pretraining.parallelism.data_parallel import DataParallel
from llmcourse.pretraining.parallelism.pipeline import Pipeline
from llmcourse.pretraining.parallelism.tensor_parallel import TensorParallel
from llmcourse.pretraining.parallelism.zero import Zero
from llmcourse.pretraining.strategy import Strategy

__all__ = ["STRATEGIES", "data_parallel", "make_strategy", "pipeline_parallel", "tensor_parallel"]

Device = torch.device | str


def data_parallel(
    device: Device = "cpu", *, zero_stage: int = 0, engine: bool = False, group: dist.ProcessGroup | None = None
) -> Strategy:
    r"""Return the strategy in which each process takes a share of the batch.

    Args:
        device: Where this process computes.
        zero_stage: What no two processes both keep: at 1 the optimizer's state, at 2 gradients too, at 3 weights too.
        engine: Take torch's engine, DistributedDataParallel or, at stage 3, fully_shard, in place of the code to read.
        group: The processes that take part; all by default.

    Returns:
        What a :class:`llmcourse.pretraining.Trainer` takes.

    Raises:
        ValueError: There is no such stage, the engine does not have it, or processes have not been joined.

    Example:
        >>> data_parallel()
        Traceback (most recent call last):
        ValueError: no processes are joined: start with torchrun --nproc-per-node 2, and call join_processes() first
    """
    if engine and zero_stage in (1, 2):
        raise ValueError(f"zero_stage is {zero_stage}: torch's engines have stages 0 and 3; leave engine out")
    if engine and zero_stage == 3:
        from llmcourse.pretraining.parallelism.fsdp import TorchFSDP

        return TorchFSDP(device, group=group)
    if engine and zero_stage == 0:
        from llmcourse.pretraining.parallelism.ddp import TorchDDP

        return TorchDDP(device, group=group)
    return Zero(zero_stage, device, group=group) if zero_stage else DataParallel(device, group=group)


def tensor_parallel(
    device: Device = "cpu", *, engine: bool = False, group: dist.ProcessGroup | None = None
) -> Strategy:
    r"""Return the strategy in which each process has some heads and some features of every layer.

    Args:
        device: Where this process computes.
        engine: Take torch's DTensors in place of the code to read.
        group: The processes that take part; all by default.

    Returns:
        What a :class:`llmcourse.pretraining.Trainer` takes.

    Raises:
        ValueError: Processes have not been joined.
    """
    if engine:
        from llmcourse.pretraining.parallelism.dtensor import TorchTensorParallel

        return TorchTensorParallel(device, group=group)
    return TensorParallel(device, group=group)


def pipeline_parallel(
    device: Device = "cpu", *, schedule: str = "1f1b", engine: bool = False, group: dist.ProcessGroup | None = None
) -> Strategy:
    r"""Return the strategy in which each process has some of the layers.

    Args:
        device: Where this process computes.
        schedule: "gpipe" or "1f1b", which keeps the activations of fewer micro-batches.
        engine: Take torch's pipelining in place of the code to read.
        group: The processes that take part; all by default.

    Returns:
        What a :class:`llmcourse.pretraining.Trainer` takes.

    Raises:
        ValueError: There is no such schedule, or processes have not been joined.
    """
    if engine:
        from llmcourse.pretraining.parallelism.torch_pipeline import TorchPipeline

        return TorchPipeline(schedule, device, group=group)
    return Pipeline(schedule, device, group=group)


STRATEGIES: dict[str, Callable[[Device], Strategy]] = {
    "data": data_parallel,
    "zero1": lambda device: data_parallel(device, zero_stage=1),
    "zero2": lambda device: data_parallel(device, zero_stage=2),
    "zero3": lambda device: data_parallel(device, zero_stage=3),
    "tensor": tensor_parallel,
    "pipeline": pipeline_parallel,
    "gpipe": lambda device: pipeline_parallel(device, schedule="gpipe"),
    "ddp": lambda device: data_parallel(device, engine=True),
    "fsdp": lambda device: data_parallel(device, zero_stage=3, engine=True),
    "dtensor": lambda device: tensor_parallel(device, engine=True),
    "torch-pipeline": lambda device: pipeline_parallel(device, engine=True),
    "torch-gpipe": lambda device: pipeline_parallel(device, schedule="gpipe", engine=True),
}


def make_strategy(name: str, device: Device = "cpu") -> Strategy:
    r"""Return a strategy over all processes by its name.

    Args:
        name: A key of ``STRATEGIES``: "data", "zero1" to "zero3", "tensor", "pipeline" (1F1B) and "gpipe" are written
            out; "ddp", "fsdp", "dtensor", "torch-pipeline" and "torch-gpipe" are torch's.
        device: Where this process computes.

    Returns:
        What a :class:`llmcourse.pretraining.Trainer` takes.

    Raises:
        ValueError: There is no such strategy, or processes have not been joined.

    Example:
        >>> make_strategy("magic")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ValueError: parallel is 'magic': choose one of data, zero1, zero2, zero3, tensor, pipeline, gpipe, ddp, ...
    """
    if name not in STRATEGIES:
        raise ValueError(f"parallel is {name!r}: choose one of {', '.join(STRATEGIES)}")
    return STRATEGIES[name](device)
