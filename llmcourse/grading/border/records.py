"""Dataclasses, named tuples and enumerations: by value where the judge has a class of its own for them."""

import collections
import dataclasses
import enum
import functools
import keyword
from typing import Any

from llmcourse.grading.border.values import Decoder, Encoder

__all__ = ["decode", "encode", "is_record_class"]


def is_record_class(value: Any) -> bool:
    """Return whether a class crosses by value: a dataclass, a named tuple or an enumeration."""
    if not isinstance(value, type):
        return False
    return dataclasses.is_dataclass(value) or issubclass(value, enum.Enum) or _is_named_tuple(value)


def _is_named_tuple(kind: type) -> bool:
    return issubclass(kind, tuple) and isinstance(getattr(kind, "_fields", None), tuple)


def encode(encoder: Encoder, value: Any, classes: dict[str, type], depth: int) -> Any:
    """Return the JSON of a record, or None for what is none.

    Args:
        encoder: Of the message.
        value: Anything.
        classes: The record classes that both sides have, by name.
        depth: Of nesting.

    Returns:
        A tagged list, or None.
    """
    kind = type(value)
    if _is_named_tuple(kind):
        items = [encoder.encode(item, depth + 1) for item in tuple.__iter__(value)]
        return ["NT", kind.__name__, list(kind._fields), *items]  # pyright: ignore[reportAttributeAccessIssue]
    if classes.get(kind.__name__) is not kind:
        return None
    if isinstance(value, enum.Enum):
        return ["N", kind.__name__, value.name]
    encoder.remember(value)
    names = [field.name for field in dataclasses.fields(value) if hasattr(value, field.name)]
    return ["N", kind.__name__, {name: encoder.encode(getattr(value, name), depth + 1) for name in names}]


def decode(decoder: Decoder, data: list[Any], classes: dict[str, type], depth: int) -> Any:
    """Return the record that some JSON describes, of this side's own class."""
    name, fields = data[1:3]
    if data[0] == "NT":
        return _named_tuple(decoder, name, fields, tuple(decoder.items(data[3:], depth)), classes)
    kind: Any = classes.get(name) if type(name) is str else None
    if kind is None:
        raise decoder.malformed()
    if issubclass(kind, enum.Enum):
        return kind[fields]
    known = {field.name for field in dataclasses.fields(kind)}
    if type(fields) is not dict or not fields.keys() <= known:
        raise decoder.malformed()
    value = decoder.remember(object.__new__(kind))
    for field, item in fields.items():
        object.__setattr__(value, field, decoder.decode(item, depth + 1))
    return value


def _named_tuple(decoder: Decoder, name: Any, fields: Any, items: tuple[Any, ...], classes: dict[str, type]) -> Any:
    named = all(_is_name(part) for part in (name, *fields)) and not any(field.startswith("_") for field in fields)
    if len(fields) > 200 or len(fields) != len(items) or not named:
        raise decoder.malformed()
    kind = classes.get(name)
    if kind is None or not _is_named_tuple(kind) or list(kind._fields) != fields:  # pyright: ignore
        kind = _tuple_class(name, tuple(fields))
    return tuple.__new__(kind, items)


def _is_name(text: Any) -> bool:
    return type(text) is str and len(text) <= 80 and text.isidentifier() and not keyword.iskeyword(text)


@functools.lru_cache(maxsize=256)
def _tuple_class(name: str, fields: tuple[str, ...]) -> type:
    return collections.namedtuple(name, fields, rename=False, module="student")
