"""What stands here for an object that stays on the other side.

Each operation asks the other side. On the judge's side an answer by proxy must not pass for a value: only objects of
classes that the solution defines are asked to compare, add or contain, so that an object that equals everything, or
whose difference to everything is zero, is no answer where a number or a tensor is expected.
"""

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from llmcourse.grading.border import exceptions
from llmcourse.grading.border.handles import OPERATORS, SAFE_OPERATORS
from llmcourse.grading.border.limits import BorderError

if TYPE_CHECKING:
    from llmcourse.grading.border.endpoint import Endpoint

__all__ = ["METHOD", "ClassProxy", "FunctionProxy", "Method", "Proxy", "home", "proxy"]

METHOD: Any = type("METHOD", (), {"__doc__": "Says that an attribute is a method of its object."})()
_KINDS = {"function", "class", "exception", "module", "object"}
_READABLE = {"__name__", "__qualname__", "__doc__", "__dict__", "__annotations__", "__defaults__", "__kwdefaults__"}
# Methods by which tests compare values; an object that answers them itself could answer anything.
_COMPARING = frozenset(
    "equal allclose isclose eq ne lt le gt ge sub sub_ subtract add mul div true_divide dist issubset issuperset "
    "isdisjoint difference symmetric_difference intersection startswith endswith count index".split()
)


class Proxy:
    """An object of the other side."""

    __array_ufunc__ = None  # numpy must not take it for an array of one object
    _is_border_proxy = True

    def __getattr__(self, name: str) -> Any:
        known = self.__dict__.get("_border_known")
        if known is None or (name.startswith("__") and name.endswith("__") and name not in _READABLE):
            raise AttributeError(name)
        if name in known.methods:
            return Method(self, name)
        if name in _COMPARING:
            known.guard(name)
        value = known.border.request(f"{known.label}.{name}", "get", (self, name))
        if value is not METHOD:
            return value
        known.methods.add(name)
        return Method(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        known = _known(self)
        known.border.request(f"{known.label}.{name}", "set", (self, name, value))

    def __delattr__(self, name: str) -> None:
        known = _known(self)
        known.border.request(f"{known.label}.{name}", "delete", (self, name))

    def __repr__(self) -> str:
        return self._text("__repr__")

    def __str__(self) -> str:
        return self._text("__str__")

    def _text(self, operator: str) -> str:
        known = _known(self)
        try:
            text = known.border.request(known.label, "op", (self, operator))
        except Exception:
            text = None
        return text if type(text) is str else f"<{known.label} of the other process>"

    def __hash__(self) -> int:
        return hash(("proxy", _known(self).number))

    def __dir__(self) -> list[str]:
        known = _known(self)
        return [str(name) for name in known.border.request(known.label, "dir", (self,))]

    def __copy__(self) -> Any:
        return self._copied(deep=False)

    def __deepcopy__(self, memo: Any) -> Any:
        return self._copied(deep=True)

    def _copied(self, *, deep: bool) -> Any:
        known = _known(self)
        return known.border.request(known.label, "copy", (self, deep))

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise BorderError(f"`{_known(self).label}` lives in another process and cannot be pickled")


class _Known:
    """What is known here of a proxy's object."""

    def __init__(self, border: "Endpoint", number: int, name: str, declared: str | None) -> None:
        self.border, self.number, self.declared = border, number, declared
        self.label = declared or name
        self.methods: set[str] = set()
        self.steps = 0

    def __del__(self) -> None:
        self.border.handles.released.append(self.number)

    def guard(self, operation: str) -> None:
        """Raise TypeError where this object's own answer must not count."""
        if self.border.may_ask(self.declared, operation):
            return
        raise TypeError(f"the object of class {self.label} is asked for {operation}, where a plain value is expected")

    def step(self) -> None:
        """Count a step of iteration; an endless object must not fill the memory here."""
        self.steps += 1
        if self.steps > self.border.limits.iterations:
            raise BorderError(f"`{self.label}` yields more than {self.border.limits.iterations:,} items")


def _known(value: Any) -> _Known:
    return value.__dict__["_border_known"]


class Method:
    """A method of an object of the other side: called in one step."""

    def __init__(self, owner: Any, name: str) -> None:
        self.__self__, self.__name__ = owner, name
        self.__qualname__ = f"{_known(owner).label}.{name}"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it on the other side."""
        return _known(self.__self__).border.request(
            self.__qualname__, "method", (self.__self__, self.__name__, *args), kwargs
        )

    @property
    def __signature__(self) -> inspect.Signature:
        return _signature(self.__self__, self.__name__)

    def __repr__(self) -> str:
        return f"<method {self.__qualname__} of the other process>"


def _signature(owner: Any, name: str | None) -> inspect.Signature:
    known = _known(owner)
    parts = known.border.request(known.label, "signature", (owner, name))
    kinds = {kind.name: kind for kind in type(inspect.Parameter.POSITIONAL_ONLY)}
    empty = inspect.Parameter.empty
    return inspect.Signature(
        [
            inspect.Parameter(name, kinds[kind], default=default[0] if default else empty)
            for name, kind, default in parts
        ]
    )


class FunctionProxy(Proxy):
    """A function of the other side."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it on the other side."""
        known = _known(self)
        return known.border.request(known.label, "call", (self, *args), kwargs)

    @property
    def __signature__(self) -> inspect.Signature:
        return _signature(self, None)


class ClassProxy(FunctionProxy):
    """A class of the other side: it makes objects there, and ``isinstance`` asks there."""

    def __instancecheck__(self, value: Any) -> bool:
        known = _known(self)
        if home(value, known.border) is None:
            return isinstance(value, tuple) and type(value).__module__ == "student" and self._is_type_of(value)
        return known.border.request(known.label, "isinstance", (value, self)) is True

    def _is_type_of(self, value: Any) -> bool:
        return type(value).__name__ == _known(self).label

    def __subclasscheck__(self, kind: Any) -> bool:
        known = _known(self)
        return home(kind, known.border) is not None and (
            known.border.request(known.label, "issubclass", (kind, self)) is True
        )

    def __mro_entries__(self, bases: Any) -> Any:
        raise BorderError(f"a test cannot derive a class from `{_known(self).label}`, which is the student's")


class ObjectProxy(Proxy):
    """Any other object of the other side; its operators are added by :func:`_object_class`."""


def _operator(name: str) -> Callable[..., Any]:
    guarded, stepping = name not in SAFE_OPERATORS, name in ("__next__", "__getitem__")

    def operate(self: Any, *args: Any, **kwargs: Any) -> Any:
        known = _known(self)
        if guarded:
            known.guard(name)
        if stepping:
            known.step()
        return known.border.request(known.label, "op", (self, name, *args), kwargs)

    operate.__name__ = name
    return operate


def _equals(self: Any, other: Any) -> Any:
    """Compare with another object of the same side; never ask it whether it equals a value."""
    known = _known(self)
    if home(other, known.border) is None:
        return NotImplemented
    if self is other:
        return True
    fields = known.border.fields_of(known.declared)
    if fields is not None:
        same = known.declared == _known(other).declared
        return same and all(getattr(self, field) == getattr(other, field) for field in fields)
    if not known.border.may_ask(known.declared, "__eq__"):
        return NotImplemented
    return known.border.request(known.label, "op", (self, "__eq__", other))


def _differs(self: Any, other: Any) -> Any:
    equal = _equals(self, other)
    return equal if equal is NotImplemented else not equal


@functools.lru_cache(maxsize=1024)
def _object_class(base: type, name: str, operators: frozenset[str]) -> type:
    members = {operator: _operator(operator) for operator in operators - {"__eq__", "__ne__", "__hash__"}}
    members |= {"__eq__": _equals, "__ne__": _differs, "__hash__": Proxy.__hash__, "__module__": "student"}
    return type(name, (base,), members)


def home(value: Any, border: "Endpoint") -> int | None:
    """Return the number of the other side's object that a value stands for, or None where it stands for none."""
    if isinstance(value, type):
        return vars(value).get("_border_number")
    if not getattr(type(value), "_is_border_proxy", False):
        return None
    known = _known(value)
    return known.number if known.border is border else None


def proxy(border: "Endpoint", data: list[Any], label: str) -> Any:
    """Return what stands for an object of the other side.

    Args:
        border: Where it lives behind.
        data: Number, kind, name of its type or its own, name of the solution's class that it belongs to, operators,
            and more by kind, all as they arrived.
        label: What gave it back, for messages.

    Returns:
        A proxy, the same for the same object; an exception's class becomes a real class.

    Raises:
        BorderError: The description is malformed, or there are too many objects.
    """
    number, kind, name, declared, operators, more = data
    shown = type(name) is str and len(name) <= 80
    if type(number) is not int or kind not in _KINDS or not shown or type(operators) is not list:
        raise BorderError(f"what `{label}` gave back cannot be read")
    found = border.handles.proxies.get(number)
    if found is not None:
        return found
    if len(border.handles.proxies) >= border.limits.handles:
        raise BorderError(f"`{label}` and other code gave back more than {border.limits.handles:,} objects")
    if kind == "exception":
        return exceptions.exception_class(more if type(more) is list else [], border.known_exceptions)
    kind_class: Any = _class_for(kind, name, frozenset(operators) & OPERATORS, more)
    made = kind_class.__new__(kind_class)
    declared = declared if declared in border.declared else None
    made.__dict__["_border_known"] = _Known(border, number, name, declared)
    border.handles.proxies[number] = made
    return made


def _class_for(kind: str, name: str, operators: frozenset[str], more: Any) -> type:
    if kind == "function":
        return FunctionProxy
    if kind == "class":
        return ClassProxy
    name = name if name.isidentifier() else "object"
    if kind == "module":
        from llmcourse.grading.border.modules import module_class

        return _object_class(module_class(more if type(more) is str else None), name, operators)
    return _object_class(ObjectProxy, name, operators)
