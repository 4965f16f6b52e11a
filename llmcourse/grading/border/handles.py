"""What stays behind: objects that one side holds for the other, by number."""

import inspect
import io
import socket
import sys
import threading
import types
from typing import Any
from weakref import WeakValueDictionary

from llmcourse.grading.border.limits import BorderError, Limits

__all__ = ["OPERATORS", "SAFE_OPERATORS", "Handles", "describe", "refuse_unmovable"]

_BINARY = "add sub mul matmul truediv floordiv mod divmod pow and or xor lshift rshift"
SAFE_OPERATORS = frozenset(
    f"__{name}__" for name in "len iter next reversed getitem setitem delitem bool call enter exit missing".split()
)
OPERATORS = SAFE_OPERATORS | {
    *(f"__{side}{name}__" for name in _BINARY.split() for side in ("", "r", "i") if f"{side}{name}" != "idivmod"),
    *(f"__{name}__" for name in "eq ne lt le gt ge contains neg pos abs invert int float index complex round".split()),
}
_UNMOVABLE: dict[type, str] = {
    type(threading.Lock()): "a lock",
    type(threading.RLock()): "a lock",
    threading.Thread: "a thread",
    io.IOBase: "an open file",
    socket.socket: "a socket",
    types.FrameType: "a stack frame",
    types.CodeType: "compiled code",
    types.TracebackType: "a traceback",
    types.ModuleType: "a module",
    types.CoroutineType: "a coroutine (was `await` forgotten?)",
}


class Handles:
    """The objects that this side keeps for the other, and the proxies here of those that the other side keeps."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._mine: dict[int, Any] = {}
        self._numbers: dict[int, int] = {}
        self._given = 0
        self.proxies: WeakValueDictionary[int, Any] = WeakValueDictionary()
        self.released: list[int] = []

    def offer(self, value: Any) -> int:
        """Keep an object and return its number; the same object has the same number while it is kept."""
        number = self._numbers.get(id(value))
        if number is None:
            if len(self._mine) >= self._limits.handles:
                raise BorderError(f"more than {self._limits.handles:,} objects are held for the other side")
            self._given += 1
            number = self._numbers[id(value)] = self._given
            self._mine[number] = value
        return number

    def mine(self, number: Any) -> Any:
        """Return the object of a number that this side gave out."""
        if type(number) is not int or number not in self._mine:
            raise BorderError("your code's process names an object that it was never given")
        return self._mine[number]

    def is_mine(self, value: Any) -> bool:
        """Return whether the other side was given this object."""
        return id(value) in self._numbers

    def take_released(self) -> list[int]:
        """Return the numbers of the other side's objects that nothing here uses any more."""
        released = [number for number in self.released if number not in self.proxies]
        self.released.clear()
        return released

    def drop(self, numbers: Any) -> None:
        """Let go of objects that the other side no longer uses."""
        for number in numbers if type(numbers) is list else ():
            value = self._mine.pop(number, None) if type(number) is int else None
            if value is not None:
                self._numbers.pop(id(value), None)


def refuse_unmovable(value: Any, depth: int) -> None:
    """Raise BorderError for what is bound to its process."""
    for kind, words in _UNMOVABLE.items():
        if isinstance(value, kind):
            raise BorderError(f"{'holds' if depth else 'is'} {words} and cannot leave its process")


def describe(value: Any, declared: set[str]) -> list[Any]:
    """Return what the other side is told of an object: kind, names of its type, operators, and more by kind."""
    kind: str = "object"
    more: Any = None
    torch = sys.modules.get("torch")
    if isinstance(value, type):
        kind = "class"
        if issubclass(value, BaseException):
            kind, more = "exception", [[base.__module__, base.__qualname__] for base in type.mro(value)[:-2]]
    elif inspect.isroutine(value) or type(value).__name__ == "partial":
        kind = "function"
    elif torch is not None and isinstance(value, torch.nn.Module):
        kind = "module"
        more = _library_module(type(value))
    named: Any = value if kind in ("class", "exception", "function") else type(value)
    name = str(getattr(named, "__name__", type(value).__name__))[:80]
    ours = next((base.__name__ for base in type.mro(type(value)) if base.__name__ in declared), None)
    return [kind, name, ours, _operators(type(value)) if kind in ("object", "module") else [], more]


def _library_module(kind: type) -> str | None:
    """Return the class of ``torch.nn`` from which a module's class derives."""
    return next((base.__name__ for base in kind.__mro__ if base.__module__.startswith("torch.nn.")), None)


def _operators(kind: type) -> list[str]:
    found = [name for name in OPERATORS if getattr(kind, name, None) is not None]
    return [name for name in found if getattr(kind, name) is not getattr(object, name, None)]
