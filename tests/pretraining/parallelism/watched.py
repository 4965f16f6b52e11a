"""Watching a step: the bytes of what autograd keeps, of what is held, and of what is sent."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor, nn

from llmcourse.pretraining.parallelism import sharded_parameter

_RMS_NORM = sys.modules["llmcourse.architecture.rms_norm"]


def bytes_of(tensors: Iterable[Tensor]) -> int:
    """Return the bytes of storages, each of which counts once."""
    storages = [tensor.untyped_storage() for tensor in tensors]
    return sum({storage.data_ptr(): storage.nbytes() for storage in storages if storage.nbytes()}.values())


@contextmanager
def norms_as_on_a_gpu() -> Iterator[None]:
    """Let RMSNorm take the way that it takes on a GPU, which keeps other tensors than the CPU's."""
    by_hand, _RMS_NORM._by_hand = _RMS_NORM._by_hand, lambda *_: False
    try:
        yield
    finally:
        _RMS_NORM._by_hand = by_hand


@contextmanager
def kept_by_autograd(parameters: Callable[[], Iterable[Tensor]]) -> Iterator[dict[str, int]]:
    """Count the bytes of storages that autograd keeps, now and at most, without those of parameters."""
    counted, users, sizes = {"now": 0, "most": 0}, {}, {}

    class Kept:
        def __init__(self, tensor: Tensor) -> None:
            self.tensor, storage = tensor, tensor.untyped_storage()
            self.key = storage.data_ptr()
            self.counts = self.key not in {p.untyped_storage().data_ptr() for p in parameters()}
            if self.counts:
                users[self.key] = users.get(self.key, 0) + 1
                if users[self.key] == 1:
                    sizes[self.key] = storage.nbytes()
                    counted["now"] += storage.nbytes()
                counted["most"] = max(counted.values())

        def __del__(self) -> None:
            if self.counts:
                users[self.key] -= 1
                if not users[self.key]:
                    counted["now"] -= sizes.pop(self.key)
                    del users[self.key]

    with torch.autograd.graph.saved_tensors_hooks(Kept, lambda kept: kept.tensor):
        yield counted


@contextmanager
def sent_bytes(n: int) -> Iterator[dict[str, float]]:
    """Count what a process among n sends, where sums go round a ring; single numbers are left out."""
    counted = {"sent": 0.0}

    def counting(function: Callable, passes: float) -> Callable:
        def call(tensor: Tensor, *args, **options):
            largest = max([tensor, *(other for other in args if isinstance(other, Tensor))], key=torch.numel)
            if largest.numel() > 1:
                counted["sent"] += passes * largest.numel() * largest.element_size()
            return function(tensor, *args, **options)

        return call

    ring = (n - 1) / n
    places = [
        (dist, "all_reduce", 2 * ring),
        (dist, "isend", 1.0),
        (sharded_parameter, "_all_gather", ring),
        (sharded_parameter, "_reduce_scatter", ring),
    ]
    before = [getattr(place, name) for place, name, _ in places]
    try:
        for (place, name, passes), function in zip(places, before, strict=True):
            setattr(place, name, counting(function, passes))
        yield counted
    finally:
        for (place, name, _), function in zip(places, before, strict=True):
            setattr(place, name, function)


def held_by(model: nn.Module) -> list[Tensor]:
    """Return the parameters that an optimizer has, and those that compute."""
    whole = model.__dict__.get("whole")
    return [*model.parameters(), *(whole.parameters() if whole is not None else ())]
