"""Keys and values of a GGUF file: each says its type before it, and is refused by name where it does not fit."""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["Cursor", "encode_entry", "read_entry"]

# ggml's numbers for types, with numpy's dtypes; 8 is a string and 9 an array.
_DTYPES = {
    0: "<u1",
    1: "<i1",
    2: "<u2",
    3: "<i2",
    4: "<u4",
    5: "<i4",
    6: "<f4",
    7: "?",
    10: "<u8",
    11: "<i8",
    12: "<f8",
}
_NUMBERS = {np.dtype(dtype): number for number, dtype in _DTYPES.items()}
_STRING, _ARRAY = 8, 9
_DEEPEST = 4  # arrays within arrays: nobody writes more than one, and a file must not choose how deep we go


class Cursor:
    r"""Reads a file from its beginning, and names what it was reading where something is wrong.

    Args:
        data: The file's bytes.
    """

    def __init__(self, data: memoryview) -> None:
        self.data, self.position = data, 0

    def take(self, n_bytes: int, field: str) -> memoryview:
        """Return the next bytes, and pass them."""
        left = len(self.data) - self.position
        if n_bytes > left:
            raise ValueError(f"{field}: {n_bytes} bytes are to follow, and {left} are left: the file is cut short")
        self.position += n_bytes
        return self.data[self.position - n_bytes : self.position]

    def number(self, format: str, field: str) -> int:
        """Return a whole number in one of struct's formats, little-endian."""
        (value,) = struct.unpack("<" + format, self.take(struct.calcsize(format), field))
        return value

    def string(self, field: str) -> str:
        """Return a string, whose length stands before it."""
        content = self.take(self.number("Q", f"{field}, length"), field)
        try:
            return str(content, "utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"{field}: is not UTF-8: {error}") from error


def read_entry(cursor: Cursor, place: int) -> tuple[str, Any]:
    r"""Read a key and its value.

    Args:
        cursor: Stands before it.
        place: Its number in the file, for messages.

    Returns:
        The key; and a bool, int, float, string or list.

    Raises:
        ValueError: Something does not fit; names the key.

    Example:
        >>> read_entry(Cursor(memoryview(encode_entry("llama.block_count", 32))), 0)
        ('llama.block_count', 32)
    """
    key = cursor.string(f"metadata {place}, key")
    field = f"metadata {key!r}"
    return key, _read_value(cursor, cursor.number("I", f"{field}, type"), field, depth=0)


def _read_value(cursor: Cursor, type: int, field: str, depth: int) -> Any:
    if type == _STRING:
        return cursor.string(field)
    if type == _ARRAY and depth < _DEEPEST:
        return _read_array(cursor, field, depth)
    if type not in _DTYPES:
        raise ValueError(f"{field}: there is no type {type}" + (" this deep in arrays" if type == _ARRAY else ""))
    return _read_numbers(cursor, type, 1, field)[0]


def _read_array(cursor: Cursor, field: str, depth: int) -> list[Any]:
    type, n = cursor.number("I", f"{field}, type of elements"), cursor.number("Q", f"{field}, length")
    if type in _DTYPES:
        return _read_numbers(cursor, type, n, field)
    if n > len(cursor.data) - cursor.position:  # each element takes a byte at least
        raise ValueError(f"{field}, length: {n} elements are to follow in {len(cursor.data) - cursor.position} bytes")
    return [_read_value(cursor, type, f"{field}[{i}]", depth + 1) for i in range(n)]


def _read_numbers(cursor: Cursor, type: int, n: int, field: str) -> list[Any]:
    dtype = np.dtype(_DTYPES[type])
    content = cursor.take(n * dtype.itemsize, field)
    if dtype == np.bool_ and not set(content) <= {0, 1}:
        raise ValueError(f"{field}: a truth value is neither 0 nor 1")
    return np.frombuffer(content, dtype=dtype).tolist()


def encode_entry(key: str, value: Any) -> bytes:
    r"""Return the bytes of a key and its value.

    Python's numbers get the types that llama.cpp expects: whole numbers 32 bits where they fit, unsigned if they stand
    alone and signed in arrays, others 64; fractions 32 bits. A numpy number or array keeps its own type.

    Args:
        key: Such as "llama.block_count".
        value: A bool, int, float, string, numpy number or array of one dimension, or a sequence of one kind of them.

    Returns:
        Bytes: the key, the type, the value.

    Raises:
        ValueError: The value has no such form; names the key.
    """
    if not key or len(key.encode()) > 65_535:
        raise ValueError(f"metadata key {key[:40]!r} has {len(key.encode())} bytes: give 1 to 65,535")
    type, content = _encode_value(value, f"metadata {key!r}")
    return _encode_string(key) + struct.pack("<I", type) + content


def _encode_value(value: Any, field: str) -> tuple[int, bytes]:
    if isinstance(value, str):
        return _STRING, _encode_string(value)
    if isinstance(value, np.ndarray | Sequence) and not isinstance(value, bytes):
        return _ARRAY, _encode_array(value, field)
    number = value if isinstance(value, np.generic) else _as_numpy([value], field, signed=False)[0]
    return _type_of(number.dtype, field), number.astype(number.dtype.newbyteorder("<")).tobytes()


def _encode_array(values: Any, field: str) -> bytes:
    if len(values) == 0:
        raise ValueError(f"{field}: an array without elements has no type: leave it out")
    if all(isinstance(value, str) for value in values):
        return struct.pack("<IQ", _STRING, len(values)) + b"".join(map(_encode_string, values))
    array = values if isinstance(values, np.ndarray) else _as_numpy(values, field, signed=True)
    if array.ndim != 1:
        raise ValueError(f"{field}: an array of shape {array.shape} has no place in a file: give one dimension")
    type = _type_of(array.dtype, field)
    return struct.pack("<IQ", type, len(array)) + array.astype(array.dtype.newbyteorder("<")).tobytes()


def _as_numpy(values: Sequence[Any], field: str, *, signed: bool) -> np.ndarray:
    """Return Python's numbers, all of one kind, in the least type that llama.cpp expects."""
    kinds = {type(value) for value in values}
    dtypes = {bool: ["?"], float: ["f4"], int: ["i4", "i8", "u8"] if signed else ["u4", "i4", "u8", "i8"]}
    if len(kinds) != 1 or not kinds <= set(dtypes):
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise ValueError(f"{field}: cannot be stored as {names}: give truth values, numbers or strings of one kind")
    for dtype in dtypes[kinds.pop()]:
        if dtype in ("?", "f4") or np.iinfo(dtype).min <= min(values) <= max(values) <= np.iinfo(dtype).max:
            return np.array(values, dtype=dtype)
    raise ValueError(f"{field}: {min(values)} to {max(values)} do not fit into 64 bits")


def _type_of(dtype: np.dtype[Any], field: str) -> int:
    little = dtype.newbyteorder("<")
    if little not in _NUMBERS:
        raise ValueError(f"{field}: numpy's {dtype} has no type in a file")
    return _NUMBERS[little]


def _encode_string(value: str) -> bytes:
    content = value.encode()
    return struct.pack("<Q", len(content)) + content
