"""The processes that torchrun started, joined so that they can send to one another, and what strategies share."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn

from llmcourse.pretraining.strategy import SingleProcess

__all__ = ["JoinedProcesses", "join_processes"]


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
        ConnectionError: While it waited for another process, that one died or stayed silent.
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
    except RuntimeError as error:
        if not _is_lost(error):
            raise
        raise ConnectionError(
            f"process {local_rank} lost another one, which died or said nothing for {timeout_s:.0f} s: look for the "
            f"first error of all processes, then start again, and the run goes on from its last checkpoint ({error})"
        ) from error
    finally:
        dist.destroy_process_group()


def _is_lost(error: RuntimeError) -> bool:
    """Whether an error is of the sending, not of what this process computes: gloo raises no type of its own."""
    return isinstance(error, dist.DistError) or any(word in str(error) for word in ("gloo", "NCCL", "Connection"))


class JoinedProcesses(SingleProcess):
    r"""What all strategies over several processes have in common; alone it trains a copy in each of them.

    Args:
        device: Where this process computes.
        group: The processes that take part; all by default.

    Raises:
        ValueError: Processes have not been joined.
    """

    def __init__(self, device: torch.device | str = "cpu", *, group: dist.ProcessGroup | None = None) -> None:
        super().__init__(device)
        if not dist.is_initialized():
            raise ValueError(
                "no processes are joined: start with torchrun --nproc-per-node 2, and call join_processes() first"
            )
        self._group = group
        self.rank, self.world_size = dist.get_rank(group), dist.get_world_size(group)

    @property
    def is_main(self) -> bool:
        """Whether this is the first process."""
        return self.rank == 0

    def any(self, flag: bool) -> bool:
        """Return whether any process says yes."""
        return bool(self.add_up(torch.tensor(float(flag))) > 0)

    def add_up(self, value: Tensor) -> Tensor:
        """Return the sum of a tensor over all processes, which stays as it is."""
        value = value.to(self.device, copy=True)
        dist.all_reduce(value, group=self._group)
        return value

    def share_weights(self, model: nn.Module) -> nn.Module:
        """Move a model to the device, and give all processes the weights of the first."""
        model = model.to(self.device)
        for tensor in model.state_dict().values():
            self.share(tensor)
        return model

    def share(self, tensor: Tensor) -> Tensor:
        """Return the first process's tensor, on the device; what is there already is written over."""
        tensor = tensor.to(self.device)
        dist.broadcast(tensor, group_src=0, group=self._group)
        return tensor
