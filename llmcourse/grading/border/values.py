"""Plain values as JSON and buffers, and back; what arrives is of exactly the built-in types.

None, booleans, short numbers and short strings are themselves in JSON; all else is a list that starts with a tag.
Mutable values are numbered in the order in which they are met, so that one object that occurs twice arrives as one,
cycles through lists and dicts work, and a change in place can be told by number. A value of a subclass (a float that
equals everything, say) is taken apart by the base class's own methods and arrives as the plain value.
"""

import array
import collections
import math
import re
import time
from collections.abc import Callable, Iterable
from typing import Any

from llmcourse.grading.border.limits import BorderError, Limits

__all__ = ["Decoder", "Encoder"]

_SURROGATE = re.compile("[\ud800-\udfff]")
_MALFORMED = (TypeError, ValueError, IndexError, OverflowError, KeyError, AttributeError, StopIteration, RuntimeError)
_SHORT_INT = 1 << 53
_PACK_FROM = 32
_FACTORIES = {None: None, **{kind.__name__: kind for kind in (int, float, str, list, dict, set, tuple, bytes, bool)}}
_MAPPINGS: dict[str, type] = {
    "dict": dict,
    "OrderedDict": collections.OrderedDict,
    "Counter": collections.Counter,
    "defaultdict": collections.defaultdict,
}
_KIND_OF_MAPPING = {kind: name for name, kind in _MAPPINGS.items()}


class Encoder:
    """Turns values into JSON and buffers.

    ``kept`` holds the mutable values in their numbering; ``memo`` continues the numbering of an earlier message.
    """

    def __init__(self, limits: Limits, memo: Iterable[Any] = ()) -> None:
        self.limits = limits
        self.buffers: list[bytes | bytearray | memoryview] = []
        self.kept: list[Any] = list(memo)
        self.numbers = {id(value): number for number, value in enumerate(self.kept)}
        self._open: set[int] = set()

    def encode(self, value: Any, depth: int = 0) -> Any:
        """Return the JSON of a value; raises BorderError where it cannot cross."""
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is int:
            return value if -_SHORT_INT < value < _SHORT_INT else self._long_int(value)
        if kind is float:
            return value if math.isfinite(value) else ["f", repr(value)]
        if kind is str:
            return value if len(value) < 1024 and not _SURROGATE.search(value) else self._text(value)
        if depth > self.limits.depth:
            raise BorderError(f"a value is nested more than {self.limits.depth} levels deep and cannot cross")
        number = self.numbers.get(id(value))
        if number is not None:
            return ["R", number]
        write = _WRITERS.get(kind)
        return write(self, value, depth) if write else self.other(value, depth)

    def buffer(self, data: bytes | bytearray | memoryview) -> int:
        """Add a buffer and return its index."""
        self.buffers.append(data)
        return len(self.buffers) - 1

    def remember(self, value: Any) -> None:
        """Number a mutable value."""
        self.numbers[id(value)] = len(self.kept)
        self.kept.append(value)

    def other(self, value: Any, depth: int) -> Any:
        """Encode a value of no built-in type: as its base class where it has a plain one."""
        for base, write in _WRITERS.items():
            if isinstance(value, base):
                return write(self, value, depth)
        for base, plain in _SCALARS.items():
            if isinstance(value, base):
                return self.encode(plain(value))
        raise BorderError(f"a value of type {type(value).__name__} cannot cross")

    def _long_int(self, value: int) -> list[Any]:
        if value.bit_length() > 4 * self.limits.digits:
            raise BorderError(f"a number of {value.bit_length():,} bits is too long to cross")
        return ["i", f"{value:x}"]

    def _text(self, value: str) -> list[Any]:
        return ["s", self.buffer(value.encode("utf-8", "surrogatepass"))]

    def _list(self, value: list[Any], depth: int) -> list[Any]:
        self.remember(value)
        if len(value) >= _PACK_FROM:
            kinds = {type(item) for item in list.__iter__(value)}
            code = {int: "q", float: "d"}.get(kinds.pop()) if len(kinds) == 1 else None
            if code:
                try:
                    return ["L", code, self.buffer(array.array(code, list.__iter__(value)).tobytes())]
                except OverflowError:
                    pass
        return ["l", *[self.encode(item, depth + 1) for item in list.__iter__(value)]]

    def _immutable(self, tag: str, value: Any, items: Iterable[Any], depth: int) -> list[Any]:
        if id(value) in self._open:
            raise BorderError(f"a {type(value).__name__} holds itself and cannot cross")
        self._open.add(id(value))
        try:
            return [tag, *[self.encode(item, depth + 1) for item in items]]
        finally:
            self._open.discard(id(value))

    def _mapping(self, value: dict[Any, Any], depth: int) -> list[Any]:
        self.remember(value)
        kind = _KIND_OF_MAPPING.get(type(value), "dict")
        factory = None
        if kind == "defaultdict":
            given = value.default_factory  # pyright: ignore[reportAttributeAccessIssue]
            factory = getattr(given, "__name__", None) if given in _FACTORIES.values() else None
            kind = "dict" if given is not None and factory is None else kind
        out: list[Any] = ["d", kind, factory]
        for key, item in dict.items(value):
            out += (self.encode(key, depth + 1), self.encode(item, depth + 1))
        return out

    def _set(self, value: set[Any], depth: int) -> list[Any]:
        self.remember(value)
        return ["S", *[self.encode(item, depth + 1) for item in set.__iter__(value)]]

    def _deque(self, value: collections.deque[Any], depth: int) -> list[Any]:
        self.remember(value)
        return ["q", value.maxlen, *[self.encode(item, depth + 1) for item in collections.deque.__iter__(value)]]

    def _bytearray(self, value: bytearray, depth: int) -> list[Any]:
        self.remember(value)
        return ["B", self.buffer(bytes(value))]


def _slice(encoder: Encoder, value: slice, depth: int) -> list[Any]:
    return ["/", *[encoder.encode(part, depth + 1) for part in (value.start, value.stop, value.step)]]


_WRITERS: dict[type, Callable[[Encoder, Any, int], Any]] = {
    list: Encoder._list,
    dict: Encoder._mapping,
    tuple: lambda e, v, depth: e._immutable("t", v, tuple.__iter__(v), depth),
    bytes: lambda e, v, depth: ["b", e.buffer(bytes.__getitem__(v, slice(None)))],
    set: Encoder._set,
    frozenset: lambda e, v, depth: e._immutable("F", v, frozenset.__iter__(v), depth),
    bytearray: Encoder._bytearray,
    complex: lambda e, v, depth: ["c", e.encode(complex(v).real), e.encode(complex(v).imag)],
    range: lambda e, v, depth: ["r", e.encode(v.start), e.encode(v.stop), e.encode(v.step)],
    slice: _slice,
    type(Ellipsis): lambda e, v, depth: ["..."],
    type(NotImplemented): lambda e, v, depth: ["NI"],
    collections.OrderedDict: Encoder._mapping,
    collections.Counter: Encoder._mapping,
    collections.defaultdict: Encoder._mapping,
    collections.deque: Encoder._deque,
}
_SCALARS: dict[type, Callable[[Any], Any]] = {int: int.__index__, float: float.__float__, str: str.__str__}


class Decoder:
    """Turns JSON and buffers back into values, and trusts neither.

    Each buffer is taken once, since many references to one large buffer would multiply it.
    """

    def __init__(self, buffers: list[bytearray], limits: Limits, memo: Iterable[Any] = ()) -> None:
        self.limits = limits
        self.memo: list[Any] = list(memo)
        self._buffers: list[bytearray | None] = list(buffers)
        self._elements = 0
        self._deadline = time.monotonic() + limits.decode_s

    def decode(self, data: Any, depth: int = 0) -> Any:
        """Return the value of some JSON; raises BorderError where it is malformed."""
        if data is None or type(data) in (bool, int, float, str):
            return data
        if type(data) is not list or not data or type(data[0]) is not str:
            raise self.malformed()
        if depth > self.limits.depth:
            raise BorderError(f"your code gave back a value that is nested more than {self.limits.depth} levels deep")
        self.count(len(data))
        read = _READERS.get(data[0])
        try:
            return read(self, data, depth) if read else self.other(data, depth)
        except BorderError:
            raise
        except _MALFORMED as error:
            raise self.malformed() from error

    def other(self, data: list[Any], depth: int) -> Any:
        """Decode a tag that is no plain value's."""
        raise self.malformed()

    def malformed(self) -> BorderError:
        """Return the error for data that no honest process sends."""
        return BorderError("your code's process sent a value that cannot be read")

    def count(self, elements: int) -> None:
        """Count elements, and look at the clock: keys that collide take quadratic time."""
        self._elements += elements
        if self._elements > self.limits.elements:
            raise BorderError(f"your code gave back more than {self.limits.elements:,} elements")
        self.clock()

    def clock(self) -> None:
        """Raise BorderError when decoding takes too long."""
        if time.monotonic() > self._deadline:
            raise BorderError(f"what your code gave back takes more than {self.limits.decode_s:g} s to read")

    def take(self, index: Any) -> bytearray:
        """Return a buffer, once."""
        if type(index) is not int or not 0 <= index < len(self._buffers):
            raise self.malformed()
        data, self._buffers[index] = self._buffers[index], None
        if data is None:
            raise self.malformed()
        return data

    def remember(self, value: Any) -> Any:
        """Number a mutable value, and return it."""
        self.memo.append(value)
        return value

    def items(self, data: list[Any], depth: int) -> Iterable[Any]:
        """Yield decoded items."""
        for number, item in enumerate(data):
            if not number % 256:
                self.clock()
            yield self.decode(item, depth + 1)

    def whole(self, value: Any) -> int:
        """Return a decoded integer that is one."""
        value = self.decode(value)
        if type(value) is not int:
            raise self.malformed()
        return value

    def _long_int(self, data: list[Any], depth: int) -> int:
        if len(data[1]) > self.limits.digits + 1:
            raise BorderError(f"your code gave back a number of more than {self.limits.digits:,} digits")
        return int(data[1], 16)

    def _packed(self, data: list[Any], depth: int) -> list[Any]:
        numbers = array.array({"q": "q", "d": "d"}[data[1]])
        raw = self.take(data[2])
        self.count(len(raw) // 8)
        numbers.frombytes(raw)
        return self.remember(numbers.tolist())

    def _list(self, data: list[Any], depth: int) -> list[Any]:
        value = self.remember([])
        value.extend(self.items(data[1:], depth))
        return value

    def _set(self, data: list[Any], depth: int) -> set[Any]:
        value = self.remember(set())
        value.update(self.items(data[1:], depth))
        return value

    def _deque(self, data: list[Any], depth: int) -> collections.deque[Any]:
        value = self.remember(collections.deque(maxlen=data[1]))
        value.extend(self.items(data[2:], depth))
        return value

    def _mapping(self, data: list[Any], depth: int) -> dict[Any, Any]:
        kind = _MAPPINGS[data[1]]
        value = self.remember(kind(_FACTORIES[data[2]]) if data[1] == "defaultdict" else kind())
        items = iter(self.items(data[3:], depth))
        for key in items:
            dict.__setitem__(value, key, next(items)) if data[1] != "OrderedDict" else value.update({key: next(items)})
        return value

    def _range(self, data: list[Any], depth: int) -> range:
        value = range(*(self.whole(part) for part in data[1:4]))
        if not -self.limits.elements < (value.stop - value.start) // value.step < self.limits.elements:
            raise BorderError(f"your code gave back a range of more than {self.limits.elements:,} numbers")
        return value

    def _complex(self, data: list[Any], depth: int) -> complex:
        return complex(*(float(self.decode(part)) for part in data[1:3]))

    def _back_reference(self, data: list[Any], depth: int) -> Any:
        if type(data[1]) is not int or not 0 <= data[1] < len(self.memo):
            raise self.malformed()
        return self.memo[data[1]]


_READERS: dict[str, Callable[[Decoder, list[Any], int], Any]] = {
    "i": Decoder._long_int,
    "f": lambda d, data, depth: {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[data[1]],
    "c": Decoder._complex,
    "s": lambda d, data, depth: d.take(data[1]).decode("utf-8", "surrogatepass"),
    "b": lambda d, data, depth: bytes(d.take(data[1])),
    "B": lambda d, data, depth: d.remember(d.take(data[1])),
    "l": Decoder._list,
    "L": Decoder._packed,
    "t": lambda d, data, depth: tuple(d.items(data[1:], depth)),
    "d": Decoder._mapping,
    "S": Decoder._set,
    "F": lambda d, data, depth: frozenset(d.items(data[1:], depth)),
    "q": Decoder._deque,
    "r": Decoder._range,
    "/": lambda d, data, depth: slice(*(d.decode(part, depth + 1) for part in data[1:4])),
    "...": lambda d, data, depth: ...,
    "NI": lambda d, data, depth: NotImplemented,
    "R": Decoder._back_reference,
}
