"""In-place changes of arguments: seen after a call where they arrived, repeated where they came from."""

import collections
import dataclasses
import sys
from collections.abc import Sequence
from typing import Any

from llmcourse.grading.border.arrays import generator_state, set_state
from llmcourse.grading.border.limits import BorderError

__all__ = ["apply", "content", "copied", "is_changed"]


def content(value: Any) -> Any:
    """Return what to compare a mutable value with later; nothing in it calls methods of the student's classes."""
    if isinstance(value, list | collections.deque):
        return list(value)
    if isinstance(value, dict):
        return list(dict.items(value))
    if isinstance(value, set):
        return set(map(id, value)), list(value)
    if isinstance(value, bytearray):
        return bytes(value)
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return value.dtype, tuple(value.shape), _tensor_bytes(value)
    if numpy is not None and isinstance(value, numpy.ndarray):
        return value.dtype, value.shape, value.tobytes()
    if (state := generator_state(value)) is not None:
        return state[0], repr(state[1]) if state[0] != "torch" else _tensor_bytes(state[1])
    return list(vars(value).items()) if hasattr(value, "__dict__") else None


def _tensor_bytes(value: Any) -> bytes:
    import torch

    plain = value.detach().reshape(-1)
    return plain.contiguous().view(torch.uint8).numpy().tobytes() if plain.numel() else b""


def is_changed(value: Any, before: Any) -> bool:
    """Return whether a value differs from its earlier content; elements are compared by identity."""
    after = content(value)
    if isinstance(value, list | collections.deque):
        return not _same(after, before)
    if isinstance(value, dict):
        return not _same(_flat(after), _flat(before))
    if isinstance(value, set):
        return after[0] != before[0]
    if isinstance(after, list):
        return not _same(_flat(after), _flat(before))
    return after != before


def _flat(items: Sequence[tuple[Any, Any]]) -> list[Any]:
    return [part for item in items for part in item]


def _same(after: list[Any], before: list[Any]) -> bool:
    return len(after) == len(before) and all(a is b for a, b in zip(after, before, strict=True))


def copied(value: Any) -> Any:
    """Return a shallow copy that is of the built-in type, to be sent as the new content."""
    kinds: tuple[Any, ...] = list, collections.deque, dict, set, bytearray
    for kind in kinds:
        if isinstance(value, kind):
            return kind(value)
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return value.detach().clone()
    if (state := generator_state(value)) is not None:
        return state[1]
    return value.copy() if hasattr(value, "dtype") else dict(vars(value))


def apply(value: Any, new: Any) -> None:
    """Give a mutable value a new content, in place.

    Args:
        value: The judge's own object, which the test still holds.
        new: What :func:`copied` made of the student's, as it arrived.

    Raises:
        BorderError: The new content does not fit the object.
    """
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor) and isinstance(new, torch.Tensor):
        _apply_tensor(value, new)
    elif generator_state(value) is not None:
        set_state(value, new)
    elif not _put(value, new):
        raise BorderError(f"your code changed a {type(value).__name__} in a way that cannot be carried back")


def _put(value: Any, new: Any) -> bool:
    """Put a new content in place; returns whether it fits."""
    numpy = sys.modules.get("numpy")
    if isinstance(value, list | bytearray) and isinstance(new, list | bytearray):
        value[:] = new  # pyright: ignore[reportCallIssue, reportArgumentType]
    elif isinstance(value, dict | set) and isinstance(new, dict | set):
        value.clear()
        value.update(new)  # pyright: ignore[reportCallIssue, reportArgumentType]
    elif isinstance(value, collections.deque) and isinstance(new, collections.deque):
        value.clear()
        value.extend(new)
    elif numpy is not None and isinstance(value, numpy.ndarray):
        return _put_array(value, new)
    elif dataclasses.is_dataclass(value) and isinstance(new, dict):
        for field in dataclasses.fields(value):
            if field.name in new:
                object.__setattr__(value, field.name, new[field.name])
    else:
        return False
    return True


def _put_array(value: Any, new: Any) -> bool:
    fits = getattr(new, "shape", None) == value.shape and new.dtype == value.dtype
    if fits:
        value[...] = new
    return fits


def _apply_tensor(value: Any, new: Any) -> None:
    import torch

    with torch.no_grad():
        if value.shape == new.shape and value.dtype == new.dtype:
            value.copy_(new)
        else:
            value.data = new.to(value.device)
