"""Running one cell in the judge: its outputs are those of a notebook, and show nothing of a hidden test."""

import ast
import contextlib
import io
import math
import time
import traceback
from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output

from llmcourse.grading.border import seeds
from llmcourse.grading.border.judge_side import Judge
from llmcourse.grading.border.limits import BorderError
from llmcourse.grading.border.solution_names import plain

__all__ = ["CellRun", "run_test_cell"]

_BEGIN, _END = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"


@dataclass(kw_only=True)
class CellRun:
    """What came of a cell: outputs as a notebook has them, the exception, and how long it took."""

    outputs: list[NotebookNode] = field(default_factory=list)
    error: BaseException | None = None
    taken_s: float = 0.0


def run_test_cell(
    judge: Judge, source: str, *, name: str = "cell", cell_s: float | None = None, graded: bool = False
) -> CellRun:
    """Run a cell of the instructor's against the student's objects.

    Only the student's answers are timed here; what the cell itself computes is bounded by whoever runs the judge.

    Args:
        judge: In whose namespace the cell runs.
        source: The cell, hidden tests included.
        name: The cell's id.
        cell_s: Seconds for all that the student's code does in this cell; None for no limit beside that of a call.
        graded: Whether the value of its last line is points, and so has to be a number.

    Returns:
        Outputs by which nbgrader's ``determine_grade`` gives points.
    """
    run = CellRun()
    began = time.monotonic()
    streams = _Streams(judge.limits.output_chars)
    judge.deadline = None if cell_s is None else began + cell_s
    value = None
    try:
        with streams, seeds.watched(judge.reseeded):
            judge.bind(source)
            value = _execute(plain(source), judge.namespace, f"<{name}>")
            text = None if value is None else (_points if graded else repr)(value)[: judge.limits.output_chars]
    except BaseException as error:
        run.error, text = error, None
        if isinstance(error, KeyboardInterrupt):
            raise
    finally:
        judge.deadline = None
        judge.unbind()
    run.outputs = streams.outputs
    if text is not None:
        run.outputs.append(new_output("execute_result", {"text/plain": text}))
    if run.error is not None:
        run.outputs.append(_error_output(run.error, source, f"<{name}>"))
    run.taken_s = time.monotonic() - began
    return run


def _execute(source: str, namespace: dict[str, Any], file: str) -> Any:
    """Run a cell and return the value of its last expression, as IPython does."""
    body = ast.parse(source, file).body
    shows = bool(body) and isinstance(body[-1], ast.Expr) and not source.rstrip().endswith(";")
    last = body.pop() if shows else None
    exec(compile(ast.Module(body=body, type_ignores=[]), file, "exec"), namespace)
    if last is None:
        return None
    return eval(compile(ast.Expression(last.value), file, "eval"), namespace)  # pyright: ignore[reportAttributeAccessIssue]


def _points(value: Any) -> str:
    """Return points as text that nbgrader reads as a number; of any other text it makes all points of the cell."""
    if not isinstance(value, bool | int | float) and not (hasattr(value, "item") and getattr(value, "ndim", None) == 0):
        raise TypeError(f"this test ends in a {type(value).__name__}, where points have to be a number")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"this test ends in {number}, where points have to be a number")
    return repr(number)


def _error_output(error: BaseException, source: str, file: str) -> NotebookNode:
    name = type(error).__name__
    try:
        message = str(error)[:20_000]
    except Exception:
        message = ""
    lines = [f"{name}: {message}" if message else name, *[str(note) for note in getattr(error, "__notes__", ())]]
    if isinstance(error, AssertionError | BorderError) or not lines[1:]:
        lines += _visible_line(error, source, file)
    return new_output("error", ename=name, evalue=message, traceback=lines)


def _visible_line(error: BaseException, source: str, file: str) -> list[str]:
    """Return the line of the cell that failed, marked as IPython marks it, unless it belongs to a hidden test."""
    numbers = [frame.lineno or 0 for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    lines = source.splitlines()
    hidden = _hidden(lines)
    if not numbers or hidden & set(numbers):
        return ["in a hidden test"] if numbers else []
    return [f"--> {numbers[-1]} {lines[numbers[-1] - 1].strip()}"] if numbers[-1] <= len(lines) else []


def _hidden(lines: list[str]) -> set[int]:
    """Return the numbers of the lines of hidden tests, from 1."""
    found, inside = set(), False
    for number, line in enumerate(lines, start=1):
        inside = inside or _BEGIN in line
        if inside:
            found.add(number)
        inside = inside and _END not in line
    return found


class _Streams(contextlib.ExitStack):
    """Collects standard output and error in the order in which they are written."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.outputs: list[NotebookNode] = []
        self.left = limit

    def __enter__(self) -> "_Streams":
        self.enter_context(contextlib.redirect_stdout(_Stream(self, "stdout")))
        self.enter_context(contextlib.redirect_stderr(_Stream(self, "stderr")))
        return super().__enter__()

    def add(self, name: str, text: str) -> None:
        """Append text to the last output where it is of the same stream."""
        kept, self.left = text[: self.left], self.left - len(text[: self.left])
        if kept and self.outputs and self.outputs[-1].name == name:
            self.outputs[-1].text += kept
        elif kept:
            self.outputs.append(new_output("stream", name=name, text=kept))


class _Stream(io.TextIOBase):
    def __init__(self, streams: _Streams, name: str) -> None:
        self._streams, self._name = streams, name

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, text: str) -> int:
        """Add text to the outputs."""
        self._streams.add(self._name, text)
        return len(text)
