"""Leaf tensors that both sides hold: parameters, buffers, inputs that require gradients.

The side that met a tensor first owns it; the other side holds a mirror, for as long as it needs one. At every crossing
each side sends what changed since the last one: values, ``.grad``, ``requires_grad``. Changes are found by comparing
bytes, since ``.data`` and numpy views change a tensor without touching its version counter.
"""

import sys
from dataclasses import dataclass
from typing import Any

from llmcourse.grading.border.arrays import read_tensor, write_tensor
from llmcourse.grading.border.limits import BorderError, Limits
from llmcourse.grading.border.values import Decoder, Encoder

__all__ = ["SharedTensors"]


@dataclass(slots=True)
class _Entry:
    tensor: Any
    synced: bool  # a tensor in the middle of a graph is only a place for gradients to arrive at
    data: Any = None
    grad: Any = None
    wants_grad: bool = False
    version: int = 0

    def note(self) -> None:
        """Take what the tensor is now as what the other side knows."""
        self.data, self.grad, self.wants_grad = _raw(self.tensor), _raw_grad(self.tensor), self.tensor.requires_grad
        self.version = self.tensor._version


def _raw(tensor: Any) -> tuple[Any, Any, bytes]:
    import torch

    flat = tensor.detach().cpu().reshape(-1)
    return tensor.dtype, tensor.shape, flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""


def _raw_grad(tensor: Any) -> Any:
    return None if not tensor.is_leaf or tensor.grad is None else _raw(tensor.grad)


class SharedTensors:
    """The tensors that one side shares with the other."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._mine: dict[int, _Entry] = {}
        self._theirs: dict[int, _Entry] = {}
        self._names: dict[int, tuple[str, int]] = {}
        self._given = 0
        self.mutated = False

    def is_shared(self, tensor: Any) -> bool:
        """Return whether the other side has this very tensor."""
        return id(tensor) in self._names

    def reference(self, encoder: Encoder, tensor: Any) -> list[Any]:
        """Return the JSON that names a tensor, with its values the first time."""
        if id(tensor) in self._names:
            return ["W", *self._names[id(tensor)]]
        import torch

        self._given += 1
        entry = _Entry(tensor, synced=tensor.is_leaf)
        entry.note()
        self._mine[self._given] = entry
        self._names[id(tensor)] = ("m", self._given)
        grad = None if entry.grad is None else write_tensor(encoder, tensor.grad)
        kind = [isinstance(tensor, torch.nn.Parameter), tensor.requires_grad]
        return ["W", "m", self._given, kind, write_tensor(encoder, tensor), grad]

    def resolve(self, decoder: Decoder, data: list[Any]) -> Any:
        """Return the tensor that some JSON names; creates the mirror the first time."""
        side, number = data[1:3]
        table = self._mine if side == "y" else self._theirs
        if type(number) is int and number in table:
            return table[number].tensor
        if side != "m" or type(number) is not int or len(data) != 6:
            raise decoder.malformed()
        if len(self._theirs) >= self._limits.handles:
            raise BorderError(f"your code gave back more than {self._limits.handles:,} parameters and inputs")
        entry = _Entry(_mirror(decoder, *data[3:6]), synced=True)
        entry.note()
        self._theirs[number] = entry
        self._names[id(entry.tensor)] = ("y", number)
        return entry.tensor

    def collect(self, encoder: Encoder) -> list[Any]:
        """Return what changed since the last crossing."""
        changed = []
        for side, table in (("m", self._mine), ("y", self._theirs)):
            for number, entry in table.items():
                if not entry.synced:
                    continue
                known, version = (entry.data, entry.grad, entry.wants_grad), entry.version
                entry.note()
                if known == (entry.data, entry.grad, entry.wants_grad):
                    continue
                data = write_tensor(encoder, entry.tensor) if known[0] != entry.data else None
                grad = entry.tensor.grad
                change = [None if grad is None else write_tensor(encoder, grad)] if known[1] != entry.grad else False
                changed.append([side, number, entry.wants_grad, data, change, version == entry.version])
        return changed

    def accept(self, decoder: Decoder, changes: Any) -> None:
        """Repeat the other side's changes on the tensors here."""
        for side, number, wants_grad, data, grad, silent in changes:
            entry = (self._mine if side == "y" else self._theirs).get(number)
            if entry is None or not entry.synced or type(wants_grad) is not bool:
                raise decoder.malformed()
            if data is not None:
                self.mutated |= side == "y"
                _overwrite(entry.tensor, read_tensor(decoder, data), silent=bool(silent))
            if entry.tensor.requires_grad != wants_grad:
                entry.tensor.requires_grad_(wants_grad)
            if grad is not False:
                entry.tensor.grad = None if grad[0] is None else read_tensor(decoder, grad[0])
            entry.note()

    def prune(self) -> list[int]:
        """Forget the mirrors that nothing here uses any more, and return their numbers for the owner."""
        unused = [
            number
            for number, entry in self._theirs.items()
            if sys.getrefcount(entry.tensor) <= 2 and entry.tensor._use_count() <= 1
        ]
        for number in unused:
            del self._names[id(self._theirs.pop(number).tensor)]
        return unused

    def drop(self, numbers: Any) -> None:
        """Forget the tensors whose mirrors are gone."""
        for number in numbers if type(numbers) is list else ():
            entry = self._mine.pop(number, None) if type(number) is int else None
            if entry is not None:
                del self._names[id(entry.tensor)]


def _mirror(decoder: Decoder, kind: Any, data: Any, grad: Any) -> Any:
    import torch

    is_parameter, wants_grad = map(bool, kind)
    tensor = read_tensor(decoder, data)
    tensor = torch.nn.Parameter(tensor, requires_grad=wants_grad) if is_parameter else tensor.requires_grad_(wants_grad)
    if grad is not None:
        tensor.grad = read_tensor(decoder, grad)
    return tensor


def _overwrite(tensor: Any, new: Any, *, silent: bool) -> None:
    """Write values as the other side did: ``.data`` leaves the version counter, by which autograd finds changes."""
    import torch

    if tensor.shape == new.shape and tensor.dtype == new.dtype:
        with torch.no_grad():
            (tensor.data if silent else tensor).copy_(new)
        return
    grad, tensor.grad = tensor.grad, None
    tensor.data = new
    if grad is not None and grad.shape == new.shape:
        tensor.grad = grad.to(new.dtype)
