"""Values as they cross a border: plain ones, arrays, tensors with gradients, records, exceptions, handles."""

import io
import pickle
import sys
import types
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from llmcourse.grading.border import exceptions, records
from llmcourse.grading.border.arrays import MISSING, decode_array, encode_array, read_tensor, write_tensor
from llmcourse.grading.border.handles import describe, refuse_unmovable
from llmcourse.grading.border.limits import BorderError
from llmcourse.grading.border.proxies import METHOD, home, proxy
from llmcourse.grading.border.values import Decoder, Encoder

if TYPE_CHECKING:
    from llmcourse.grading.border.endpoint import Endpoint

__all__ = ["BorderDecoder", "BorderEncoder"]

_INSTALLED = {*sys.stdlib_module_names, "torch", "numpy", "regex"}
_TYPE_ROOTS = {"builtins", "collections", "torch", "numpy", "fractions", "decimal", "pathlib", "enum"}


class BorderEncoder(Encoder):
    """Encodes for one message.

    ``answering`` tells an answer from a request: results keep their graph here, arguments start one there.
    ``aliased`` says that tensors are read from an object, so that writing to them must reach the object.
    """

    def __init__(
        self, border: "Endpoint", memo: Iterable[Any] = (), *, answering: bool = False, aliased: bool = False
    ) -> None:
        super().__init__(border.limits, memo)
        self._border, self._answering, self._aliased = border, answering, aliased
        self._outputs: list[Any] = []
        self._positions: dict[int, int] = {}

    def other(self, value: Any, depth: int) -> Any:
        """Encode a value of no built-in type."""
        border = self._border
        number = home(value, border)
        if number is not None:
            return ["o", number]
        if value is METHOD:
            return ["M"]
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(value, torch.Tensor):
            return self._tensor(torch, value)
        coded = encode_array(self, value)
        if coded is not MISSING:
            return coded
        record = records.encode(self, value, border.record_classes(), depth)
        if record is not None:
            return record
        if not isinstance(value, type) and border.declared.isdisjoint(base.__name__ for base in type(value).__mro__):
            if isinstance(
                value, int | float | complex | str | bytes | bytearray | list | tuple | dict | set | frozenset
            ):
                return super().other(value, depth)
            if isinstance(value, BaseException):
                return ["E", self.encode(exceptions.describe(value), depth + 1)]
        return self._by_name(value) or self._stay(value, depth)

    def _tensor(self, torch: Any, value: Any) -> list[Any]:
        shared = self._border.shared
        if type(value) is not torch.Tensor and not isinstance(value, torch.nn.Parameter):
            with torch._C.DisableTorchFunctionSubclass():  # a subclass may answer is_leaf itself, and all else
                value = value.as_subclass(torch.Tensor)
        leaf = value.is_leaf and (value.requires_grad or self._aliased)
        if shared.is_shared(value) or leaf or isinstance(value, torch.nn.Parameter):
            return shared.reference(self, value)
        if not value.requires_grad or not (torch.is_grad_enabled() or self._answering):
            self.remember(value)
            return ["T", *write_tensor(self, value)]
        if not self._answering:
            return shared.reference(self, value)
        if id(value) not in self._positions:
            self._positions[id(value)] = len(self._outputs)
            self._outputs.append(value)
        return ["A", self._positions[id(value)]]

    def graph(self) -> list[Any] | None:
        """Return the JSON of the graph of all results met so far, or None where none carries gradients."""
        if not self._outputs:
            return None
        number, leaves = self._border.graphs.offer(self._outputs)
        named = [self._border.shared.reference(self, leaf) for leaf in leaves]
        return [number, named, [write_tensor(self, output) for output in self._outputs]]

    def _by_name(self, value: Any) -> list[Any] | None:
        """Return a reference to what both sides can import: classes, and from the judge functions too."""
        module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
        if not isinstance(value, type | types.FunctionType | types.BuiltinFunctionType) or not isinstance(name, str):
            return None
        allowed = _TYPE_ROOTS if self._border.hostile_here else _INSTALLED
        if not isinstance(module, str) or module.partition(".")[0] not in allowed:
            return None
        if self._border.hostile_here and (not isinstance(value, type) or issubclass(value, BaseException)):
            return None
        return ["I", module, name] if _found(module, name) is value else None

    def _stay(self, value: Any, depth: int) -> list[Any]:
        if isinstance(value, types.ModuleType) and not self._border.hostile_here:
            return ["I", value.__name__, ""]
        refuse_unmovable(value, depth)
        if not self._border.hostile_here and _travels(value):
            return self._pickled(value)
        return ["h", self._border.handles.offer(value), *describe(value, self._border.declared)]

    def _pickled(self, value: Any) -> list[Any]:
        """Encode a library's object for the student's side, which may trust the judge's pickles."""
        parts: list[Any] = []
        held: list[Any] = []

        class Pickler(pickle.Pickler):
            def persistent_id(_, part: Any) -> int | None:
                if part is value or not _crosses_by_itself(part):
                    return None
                parts.append(self.encode(part, 1))
                held.append(part)
                return len(parts) - 1

        stream = io.BytesIO()
        try:
            Pickler(stream, protocol=5).dump(value)
        except (pickle.PicklingError, TypeError, AttributeError) as error:
            raise BorderError(f"is a {type(value).__name__} and cannot be passed to a student's code") from error
        return ["P", self.buffer(stream.getvalue()), parts]


def _found(module: str, name: str) -> Any:
    value: Any = sys.modules.get(module)
    for part in name.split("."):
        value = getattr(value, part, None)
    return value


def _travels(value: Any) -> bool:
    kind = type(value)
    if isinstance(value, types.GeneratorType | types.MethodType | types.FunctionType | types.BuiltinFunctionType):
        return False
    return kind.__module__.partition(".")[0] in _INSTALLED and _found(kind.__module__, kind.__qualname__) is kind


def _crosses_by_itself(part: Any) -> bool:
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(part, torch.Tensor | torch.Generator):
        return True
    if isinstance(part, type | types.BuiltinFunctionType | types.ModuleType):
        return False
    if isinstance(part, types.FunctionType):
        return _found(part.__module__, part.__qualname__) is not part
    root = type(part).__module__.partition(".")[0]
    return root not in _INSTALLED


class BorderDecoder(Decoder):
    """Decodes one message; on the judge's side without trust."""

    def __init__(self, border: "Endpoint", buffers: list[bytearray], memo: Iterable[Any] = (), label: str = "") -> None:
        super().__init__(buffers, border.limits, memo)
        self._border, self._label = border, label
        self._outputs: list[Any] = []

    def other(self, data: list[Any], depth: int) -> Any:
        """Decode the tags of what is no plain value."""
        border, tag = self._border, data[0]
        if tag == "W":
            return border.shared.resolve(self, data)
        if tag == "A":
            return self._outputs[data[1]]
        if tag == "o":
            return border.handles.mine(data[1])
        if tag == "h":
            return proxy(border, data[1:], self._label)
        if tag == "M":
            return METHOD
        if tag == "E":
            return exceptions.rebuild(self.decode(data[1], depth + 1), border.known_exceptions)
        if tag in ("N", "NT"):
            return records.decode(self, data, border.record_classes(), depth)
        if tag == "I":
            return self._import(data[1], data[2])
        if tag == "P" and border.hostile_here:
            return self._unpickle(data)
        value = decode_array(self, data, depth)
        if value is MISSING:
            raise self.malformed()
        return value

    def graph(self, data: Any) -> None:
        """Take in the graph of a message's results, before the results themselves."""
        if data is None:
            return
        border = self._border
        number, leaves, outputs = data
        inputs = [border.shared.resolve(self, leaf) for leaf in leaves]
        values = [read_tensor(self, output) for output in outputs]
        if type(number) is not int or not values:
            raise self.malformed()
        self._outputs = border.join_graph(number, inputs, values)

    def _import(self, module: Any, name: Any) -> Any:
        if self._border.hostile_here:
            __import__(module)
            return _found(module, name) if name else sys.modules[module]
        if type(module) is not str or type(name) is not str or module.partition(".")[0] not in _TYPE_ROOTS:
            raise self.malformed()
        found = _found(module, name)
        if not isinstance(found, type) or issubclass(found, BaseException):
            raise self.malformed()
        return found

    def _unpickle(self, data: list[Any]) -> Any:
        parts = [self.decode(part, 1) for part in data[2]]

        class Unpickler(pickle.Unpickler):
            def persistent_load(self, pid: int) -> Any:
                return parts[pid]

        return Unpickler(io.BytesIO(bytes(self.take(data[1])))).load()
