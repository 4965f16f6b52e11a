"""Exceptions as data: type, message and place, and back to an exception of the real type where there is one."""

import builtins
import sys
import traceback
from typing import Any

from llmcourse.grading.border.limits import BorderError, StudentError, StudentExit

__all__ = ["describe", "exception_class", "rebuild"]

_ROOTS = {
    "builtins",
    "torch",
    "numpy",
    "json",
    "re",
    "decimal",
    "struct",
    "zlib",
    "queue",
    "collections",
    "dataclasses",
}
_SIMPLE = (type(None), bool, int, float, str, bytes)


def describe(error: BaseException) -> dict[str, Any]:
    """Return what crosses of an exception: types from the most special, message, arguments that are plain, place."""
    kinds = [[kind.__module__, kind.__qualname__] for kind in type(error).__mro__ if issubclass(kind, BaseException)]
    try:
        message = str(error)
    except Exception:
        message = ""
    args = [arg if type(arg) in _SIMPLE else None for arg in error.args[:8]] if isinstance(error.args, tuple) else []
    return {"kinds": kinds[:20], "message": message[:10_000], "args": args, "where": place(error)}


def place(error: BaseException) -> str:
    """Return the innermost function and line of code that stands in a cell, not in a file of a library."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "site-packages" not in frame.filename and not frame.filename.startswith((sys.prefix, sys.base_prefix))
        if "grading/border" not in frame.filename.replace("\\", "/")
    ]
    if not frames:
        return ""
    name = frames[-1].name
    return f"line {frames[-1].lineno} of " + ("its cell" if name == "<module>" else f"the cell, in `{name}`")


def exception_class(kinds: Any, known: dict[str, type]) -> type[BaseException]:
    """Return the exception class of a list of (module, name) pairs, most special first.

    Args:
        kinds: As they arrived; may be anything.
        known: Exception classes by name that the judge's own cells or the border itself made.

    Returns:
        The real type where the first pair names one, else a new class of that name below the first real one.
    """
    pairs = [pair for pair in kinds[:20] if type(pair) is list and len(pair) == 2 and all(type(x) is str for x in pair)]
    for position, (module, name) in enumerate(pairs):
        found = _real(module, name) or known.get(name)
        if found is not None and position == 0:
            return found
        if found is not None:
            return _named(pairs[0][1], found)
    return _named(pairs[0][1] if pairs else "StudentError", StudentError)


def _named(name: str, real: type[BaseException]) -> Any:
    safe = "".join(letter for letter in name.rpartition(".")[2] if letter.isidentifier() or letter.isdigit())[:80]
    bases = (StudentError,) if real in (Exception, BaseException, StudentError) else (StudentError, real)
    try:
        return type(safe or "StudentError", bases, {"__module__": "student"})
    except TypeError:  # two layouts that do not go together
        return type(safe or "StudentError", (real,), {"__module__": "student"})


def _real(module: str, name: str) -> type[BaseException] | None:
    if module.partition(".")[0] not in _ROOTS:
        return BorderError if name == "BorderError" else None
    found: Any = builtins if module == "builtins" else sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, type) or not issubclass(found, BaseException):
        return None
    if not issubclass(found, Exception):  # SystemExit and the like must not end the judge
        return StudentExit if found is not BaseException else None
    return found


def rebuild(data: Any, known: dict[str, type]) -> BaseException:
    """Return the exception that some data describes; its notes say where in the student's code it was raised."""
    if type(data) is not dict:
        return BorderError("your code's process sent an error that cannot be read")
    message = data.get("message") if type(data.get("message")) is str else ""
    kind = exception_class(data.get("kinds") if type(data.get("kinds")) is list else [], known)
    args = data.get("args")
    plain = [arg for arg in args if type(arg) in _SIMPLE] if isinstance(args, list) else []
    error = _construct(kind, str(message)[:10_000], plain)
    where = data.get("where")
    if type(where) is str and where:
        error.add_note(f"raised by your code, at {where[:200]}")
    return error


def _construct(kind: type[BaseException], message: str, args: list[Any]) -> BaseException:
    for given in (args, [message]):
        try:
            error = kind(*given)
            if str(error) == message:
                return error
        except Exception:
            continue
    worded: Any = type(kind.__name__, (kind,), {"__module__": kind.__module__, "__str__": lambda _: message})
    error = worded.__new__(worded)
    error.args = (message,)
    return error
