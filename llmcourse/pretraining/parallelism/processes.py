"""The processes that torchrun started, joined so that they can send to one another."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
import torch.distributed as dist

__all__ = ["join_processes"]


@contextmanager
def join_processes(*, device: str = "", timeout_s: float = 600.0) -> Iterator[torch.device]:
    r"""Join the processes that torchrun started: over NCCL with a GPU for each, over gloo without.

    Args:
        device: "cpu" leaves GPUs alone; by default each process takes one where there are enough.
        timeout_s: After how long a process that waits for another, which died for instance, gives up with an error.

    Yields:
        The device on which this process computes.

    Raises:
        ValueError: This process was not started by torchrun.
    """
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
    missing = [name for name in names if name not in os.environ]
    if missing:
        raise ValueError(
            f"{', '.join(missing)} is not set: start with torchrun --nproc-per-node 2 --no-python llmcourse train"
        )
    local_rank = int(os.environ["LOCAL_RANK"])
    on_gpu = device != "cpu" and int(os.environ.get("LOCAL_WORLD_SIZE", "1")) <= torch.cuda.device_count()
    own = torch.device("cuda", local_rank) if on_gpu else torch.device("cpu")
    if on_gpu:
        torch.cuda.set_device(own)
    dist.init_process_group("nccl" if on_gpu else "gloo", timeout=timedelta(seconds=timeout_s))
    try:
        yield own
    finally:
        dist.destroy_process_group()
