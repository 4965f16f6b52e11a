"""Checking the arguments that a model wrote for a tool, before the tool is called."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

__all__ = ["check_arguments", "check_schema"]

TYPES: Final[dict[str, tuple[type, ...]]] = {
    "object": (Mapping,),
    "string": (str,),
    "number": (int, float),
    "integer": (int, float),
    "boolean": (bool,),
    "array": (list, tuple),
    "null": (type(None),),
}
CHECKED: Final = ("type", "enum", "minimum", "maximum", "properties", "required", "additionalProperties", "items")
TOLD: Final = ("description", "title")


def check_schema(schema: Mapping[str, Any]) -> None:
    """Refuse a schema that :func:`check_arguments` would not check in full: a rule that is ignored is a false promise.

    Args:
        schema: In JSON Schema.

    Raises:
        ValueError: It has a type or a rule that is not checked here.

    Example:
        >>> check_schema({"type": "string", "maxLength": 9})
        Traceback (most recent call last):
        ...
        ValueError: 'maxLength' is a rule that is not checked here: use type, enum, minimum, maximum, properties, ...
    """
    for rule in schema:
        if rule not in CHECKED + TOLD:
            raise ValueError(f"{rule!r} is a rule that is not checked here: use {', '.join(CHECKED[:5])}, ...")
    if "type" in schema and schema["type"] not in tuple(TYPES):
        raise ValueError(f"type {schema['type']!r} is unknown: choose from {', '.join(TYPES)}")
    if not isinstance(schema.get("additionalProperties", True), bool):
        raise ValueError(f"additionalProperties is {schema['additionalProperties']!r}: give true or false")
    for part in (*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])):
        check_schema(part)


def _is(value: object, kind: str) -> bool:
    if isinstance(value, bool):  # in Python a bool is an int, in JSON it is no number
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()  # JSON has one kind of number: 3.0 is 3
    return isinstance(value, TYPES[kind])


def _same(left: object, right: object) -> bool:
    return isinstance(left, bool) == isinstance(right, bool) and left == right  # 1 is not true


def check_arguments(arguments: object, schema: Mapping[str, Any], at: str = "arguments") -> list[str]:
    """List what is wrong with a value, by the part of JSON Schema (2020-12) that tools use.

    Checked are ``type``, ``enum``, ``minimum`` and ``maximum`` (of numbers), ``properties``, ``required`` and
    ``additionalProperties`` (of objects, true or false), and ``items`` (of arrays). Nothing is converted: "3" is no
    number. All faults are listed and not only the first, since the model gets the list and can mend its call at once.

    Args:
        arguments: What the model wrote, read from JSON.
        schema: Of the tool; :func:`check_schema` accepts it.
        at: What the value is called in messages.

    Returns:
        A message for each fault; empty where there is none.

    Example:
        >>> schema = {
        ...     "type": "object",
        ...     "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
        ...     "required": ["city"],
        ...     "additionalProperties": False,
        ... }
        >>> check_arguments({"city": "Oslo", "days": 3}, schema)
        []
        >>> for fault in check_arguments({"days": 0, "unit": "C"}, schema):
        ...     print(fault)
        arguments.city is missing
        arguments.unit is unknown: choose from city, days
        arguments.days is 0, less than 1
    """
    if "type" in schema and not _is(arguments, schema["type"]):
        return [f"{at} is {arguments!r}, not of type {schema['type']}"]
    faults: list[str] = []
    if "enum" in schema and not any(_same(arguments, choice) for choice in schema["enum"]):
        faults.append(f"{at} is {arguments!r}: choose from {', '.join(map(repr, schema['enum']))}")
    if _is(arguments, "number"):
        faults += _check_range(arguments, schema, at)
    if isinstance(arguments, Mapping):
        faults += _check_object(arguments, schema, at)
    if isinstance(arguments, list | tuple) and "items" in schema:
        for number, item in enumerate(arguments):
            faults += check_arguments(item, schema["items"], f"{at}[{number}]")
    return faults


def _check_range(value: Any, schema: Mapping[str, Any], at: str) -> list[str]:
    # written so that NaN, which compares with nothing, is a fault
    if "minimum" in schema and not value >= schema["minimum"]:
        return [f"{at} is {value}, less than {schema['minimum']}"]
    if "maximum" in schema and not value <= schema["maximum"]:
        return [f"{at} is {value}, more than {schema['maximum']}"]
    return []


def _check_object(value: Mapping[str, Any], schema: Mapping[str, Any], at: str) -> list[str]:
    properties: Mapping[str, Any] = schema.get("properties", {})
    required: Sequence[str] = schema.get("required", ())
    faults = [f"{at}.{name} is missing" for name in required if name not in value]
    if not schema.get("additionalProperties", True):
        choices = ", ".join(properties) or "none"
        faults += [f"{at}.{name} is unknown: choose from {choices}" for name in value if name not in properties]
    for name, part in properties.items():
        if name in value:
            faults += check_arguments(value[name], part, f"{at}.{name}")
    return faults
