"""What one side may ask of the other, and what the judge refuses to be asked.

The student's side does whatever the judge asks. The judge does only what a function or an object that a test passed
must be able to do: be called, iterated, read and written by public names. Frames, code, globals and everything with an
underscore stay out of reach, so that a hidden test's source cannot be read through an argument of its calls.
"""

import copy
import inspect
import sys
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from llmcourse.grading.border import records
from llmcourse.grading.border.handles import OPERATORS
from llmcourse.grading.border.limits import BorderError
from llmcourse.grading.border.modules import COLLECTED
from llmcourse.grading.border.proxies import METHOD

if TYPE_CHECKING:
    from llmcourse.grading.border.endpoint import Endpoint

__all__ = ["ALIASED", "perform"]

# What these give back is part of an object, so that writing to it must reach the object.
ALIASED = frozenset({"get", "collect", "names"})
_INJECTING = ("register_", "add_module", "set_", "apply", "compile")
_MODULE_STATE = frozenset({"_parameters", "_buffers", "_modules"})


def perform(border: "Endpoint", verb: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Do what the other side asks.

    Args:
        border: Between the two.
        verb: What to do; may be anything.
        args: With which objects and values.
        kwargs: Of a call.

    Returns:
        What it gives, which is yet to be encoded.

    Raises:
        BorderError: It is not to be done on this side.
    """
    if verb == "products":
        return border.graphs.products(*args)
    if not border.hostile_here and not _permitted(border, verb, args):
        raise BorderError("your code asks for something that a test does not give it")
    if verb == "names":
        return _names(border, *args)
    return _VERBS[verb](*args, **kwargs)


def _permitted(border: "Endpoint", verb: Any, args: list[Any]) -> bool:
    """Return whether the judge does this for a student's code."""
    if not args or not border.handles.is_mine(args[0]):
        return False
    name = args[1] if len(args) > 1 else None
    torch = sys.modules.get("torch")
    is_module = torch is not None and isinstance(args[0], torch.nn.Module)
    if verb == "op":
        return name in OPERATORS | {"__repr__", "__str__"}
    if verb == "collect":
        return is_module and name in COLLECTED
    if verb in ("get", "set", "method"):
        if isinstance(args[0], types.GeneratorType | types.FunctionType | types.MethodType | type):
            return False
        if type(name) is not str or (name.startswith("_") and not (is_module and name in _MODULE_STATE)):
            return False
        # What a test may take its reference from must not get the student's code in it: no hooks, no new methods.
        if verb == "set":
            return not (is_module or callable(args[2]) or callable(getattr(args[0], name, None)))
        return not (is_module and name.startswith(_INJECTING))
    return verb in ("call", "copy")


def _get(value: Any, name: str) -> Any:
    found = getattr(value, name)
    is_method = inspect.ismethod(found) or (inspect.isbuiltin(found) and not isinstance(value, types.ModuleType))
    return METHOD if is_method and getattr(found, "__self__", None) is value else found


def _operate(value: Any, name: str, *args: Any, **kwargs: Any) -> Any:
    return getattr(type(value), name)(value, *args, **kwargs)


def _method(value: Any, name: str, *args: Any, **kwargs: Any) -> Any:
    return getattr(value, name)(*args, **kwargs)


def _collect(value: Any, name: str, *args: Any, **kwargs: Any) -> list[Any]:
    return list(getattr(value, name)(*args, **kwargs))


def _signature(value: Any, name: str | None) -> list[Any]:
    parameters = inspect.signature(value if name is None else getattr(value, name)).parameters.values()
    return [(p.name, p.kind.name, [] if p.default is inspect.Parameter.empty else [p.default]) for p in parameters]


def _names(border: "Endpoint", names: list[str], declared: list[str], record_names: list[str]) -> dict[str, Any]:
    """Return the values of names in the student's namespace, and take note of which classes are whose."""
    namespace = border.namespace
    border.declared = set(declared)
    border.records = {name: namespace[name] for name in record_names if records.is_record_class(namespace.get(name))}
    return {name: namespace[name] for name in names if name in namespace}


_VERBS: dict[str, Callable[..., Any]] = {
    "call": lambda function, *args, **kwargs: function(*args, **kwargs),
    "get": _get,
    "set": setattr,
    "delete": delattr,
    "method": _method,
    "op": _operate,
    "collect": _collect,
    "isinstance": isinstance,
    "issubclass": issubclass,
    "signature": _signature,
    "dir": dir,
    "copy": lambda value, deep: copy.deepcopy(value) if deep else copy.copy(value),
}
