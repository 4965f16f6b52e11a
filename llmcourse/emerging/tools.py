"""What an agent can use: the form of a tool, a calculator, a search over passages, and Python in a sandbox."""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, runtime_checkable

from llmcourse.emerging.retriever import Retriever
from llmcourse.sandbox import Limits, NotIsolatedError, run_untrusted

__all__ = ["Calculator", "PassageSearch", "PythonTool", "Tool", "calculate"]

MIB: Final = 2**20


@runtime_checkable
class Tool(Protocol):
    """What a tool has; any object that has it is one."""

    @property
    def name(self) -> str:
        """How the model calls it."""
        ...

    @property
    def description(self) -> str:
        """What it does, for the model."""
        ...

    @property
    def parameters(self) -> Mapping[str, Any]:
        """JSON Schema of its arguments, an object."""
        ...

    @property
    def acts(self) -> bool:
        """Whether it changes anything outside of the conversation: sends, buys, writes. Then it needs permission."""
        ...

    def __call__(self, arguments: Mapping[str, Any]) -> str:
        """Run it.

        Args:
            arguments: Checked against ``parameters``.

        Returns:
            The result, as text for the model.

        Raises:
            ValueError: It cannot; the model is told why.
        """
        ...


def _one_string(name: str, description: str) -> dict[str, Any]:
    properties = {name: {"type": "string", "description": description}}
    return {"type": "object", "properties": properties, "required": [name], "additionalProperties": False}


_BINARY: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_MOST_BITS: Final = 1024


def calculate(expression: str) -> int | float:
    """Work out an expression of numbers, + - * / // % ** and brackets.

    The expression is parsed, and of its tree only these parts are worked out. ``eval`` would run whatever a model, or
    a page that a model has read, writes.

    Args:
        expression: At most 200 characters.

    Returns:
        An exact integer where only whole numbers meet, else a float.

    Raises:
        ValueError: It holds something else, divides by 0, or its numbers grow too large.

    Example:
        >>> calculate("(17 + 25) * 3 - 2 ** 4")
        110
        >>> calculate("__import__('os').getcwd()")
        Traceback (most recent call last):
        ...
        ValueError: Call is no arithmetic: write numbers, + - * / // % ** and brackets
    """
    if len(expression) > 200:
        raise ValueError(f"the expression has {len(expression)} characters: 200 are the most")
    try:
        return _evaluate(ast.parse(expression.strip(), mode="eval").body)
    except (SyntaxError, ZeroDivisionError, OverflowError, RecursionError, MemoryError) as error:
        raise ValueError(f"{expression!r} cannot be worked out: {error}") from None


def _evaluate(node: ast.expr) -> int | float:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return _in_bounds(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd | ast.USub):
        value = _evaluate(node.operand)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        left, right = _evaluate(node.left), _evaluate(node.right)
        if isinstance(node.op, ast.Pow):
            _check_power(left, right)
        return _in_bounds(_BINARY[type(node.op)](left, right))
    raise ValueError(f"{type(node).__name__} is no arithmetic: write numbers, + - * / // % ** and brackets")


def _check_power(base: float, exponent: float) -> None:
    """Refuse before it is worked out: 9**9**9 would take all memory."""
    if isinstance(base, int) and abs(exponent) * max(1, base.bit_length()) > 2 * _MOST_BITS:
        raise ValueError(f"{base} ** {exponent} is too large")
    if base < 0 and not float(exponent).is_integer():
        raise ValueError(f"({base}) ** {exponent} is no real number")


def _in_bounds(value: Any) -> int | float:
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        raise ValueError(f"a number has {value.bit_length()} bits: {_MOST_BITS} are the most")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


@dataclass(frozen=True)
class Calculator:
    """:func:`calculate` as a tool.

    Example:
        >>> Calculator()({"expression": "6 * 7"})
        '42'
    """

    name: str = "calculator"
    description: str = "Works out arithmetic, exactly for whole numbers."
    acts: bool = False
    parameters: Mapping[str, Any] = field(
        default_factory=lambda: _one_string("expression", "numbers, + - * / // % ** and brackets")
    )

    def __call__(self, arguments: Mapping[str, Any]) -> str:
        """Return the number as text."""
        return str(calculate(arguments["expression"]))


@dataclass(frozen=True)
class PassageSearch:
    """A search over passages as a tool.

    Args:
        retriever: With the passages.
        k: How many passages it returns.
    """

    retriever: Retriever
    k: int = 3
    name: str = "search"
    description: str = "Finds short passages that fit a question."
    acts: bool = False
    parameters: Mapping[str, Any] = field(default_factory=lambda: _one_string("query", "a question, or a few words"))

    def __call__(self, arguments: Mapping[str, Any]) -> str:
        """Return the passages, each on a line with its id, so that it can be cited."""
        found = self.retriever.search(arguments["query"], self.k)
        return "\n".join(f"[{passage.id}] {passage}" for passage in found)


@dataclass(frozen=True)
class PythonTool:
    """A program in Python as a tool, run in :mod:`llmcourse.sandbox`: no network, none of your files, with limits.

    Where there is no working sandbox nothing is run, and the model is told so.

    Args:
        limits: What a program may use.

    Example:
        >>> PythonTool().parameters["required"]
        ['code']
    """

    limits: Limits = field(
        default_factory=lambda: Limits(wall_s=5, cpu_s=5, memory_bytes=512 * MIB, output_bytes=64 * 1024)
    )
    name: str = "python"
    description: str = "Runs a Python program without network or files, and returns what it prints."
    acts: bool = False
    parameters: Mapping[str, Any] = field(default_factory=lambda: _one_string("code", "a program that prints"))

    def __call__(self, arguments: Mapping[str, Any]) -> str:
        """Return what the program printed; a program that fails is a ValueError with its last line of error."""
        if not arguments["code"].strip():
            raise ValueError("code is empty: give a program")
        try:
            done = run_untrusted(arguments["code"], limits=self.limits)
        except NotIsolatedError as error:
            raise ValueError(f"Python cannot be run here: {error}") from None
        if done.limit is not None:
            raise ValueError(f"the program was stopped at its limit on {done.limit}")
        if done.exit_code:
            last = (done.stderr.decode(errors="replace").strip().splitlines() or ["no message"])[-1]
            raise ValueError(f"the program failed: {last}")
        return done.stdout.decode(errors="replace")
