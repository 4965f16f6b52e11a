"""What a run says of functions that fail, in words: what went wrong, the line of the student's code, and the cause.

A failure inside another function of the exercise is told as that function's, and one in a function that passes its own
tests as its caller's. Places are read from IPython's tracebacks, which name cells by their execution count; where a
traceback names none, as the judge's, or the outputs come from elsewhere, the failure is told without them.

Nothing is known of values: a function that is given a wrong result by another one is not told so.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbformat import NotebookNode
from nbgrader.utils import is_locked, is_solution

if TYPE_CHECKING:
    from llmcourse.grading.exercise import Part

__all__ = ["SKIPPED", "Failures", "ran_out_of_time"]

# The name of the error that stands in a cell which was not run; its value says why.
SKIPPED = "CellSkippedError"
_TIMEOUT = "CellTimeoutError"
# The interrupt of a cell that ran out of time: it knows the place, and is told as the time-out.
_INTERRUPT = "KeyboardInterrupt"

_FRAME = re.compile(r"^Cell In\[(\d{1,9})\], line (\d{1,9})", re.MULTILINE)
_CHAINED = re.compile(
    r"^(?:The above exception was the direct cause of|During handling of the above exception, another exception).*$",
    re.MULTILINE,
)
_UNDEFINED = re.compile(r"name '(\w+)' is not defined")
_CELL_FILE = re.compile(r"\(\d+\.py, line ")
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_LINE_CHARACTERS = 80


@dataclass(frozen=True, kw_only=True)
class _Place:
    """A line of the student's code that a traceback goes through; ``part`` is None in a cell of the student's own."""

    part: "Part | None"
    number: int
    code: str

    def __str__(self) -> str:
        return f"line {self.number}, `{self.code}`"


def ran_out_of_time(cell: NotebookNode) -> bool:
    """Return whether a cell was stopped since it took too long."""
    return any(output.get("ename") == _TIMEOUT for output in cell.get("outputs", ()))


class Failures:
    """The failures of a notebook that was run.

    Args:
        notebook: With its outputs.
        parts: Its functions.
        passing: The names of those that pass all their tests.
    """

    def __init__(self, notebook: NotebookNode, parts: Sequence["Part"], passing: Collection[str]) -> None:
        self._cells = notebook.cells
        self._parts = {part.name: part for part in parts}
        self._passing = passing
        owner = {index: part for part in parts for index in part.answers}
        self._students = {
            cell.execution_count: (owner.get(index), cell.source)
            for index, cell in enumerate(notebook.cells)
            if cell.cell_type == "code" and cell.get("execution_count") and not is_locked(cell)
        }

    def messages(self, part: "Part") -> tuple[str, ...]:
        """Return what went wrong in a function, each thing once; an error in its answer explains its tests.

        Args:
            part: The function.

        Returns:
            A sentence for each failure.
        """
        answers = [self._cells[index] for index in part.answers]
        tests = [self._cells[index] for index in part.tests if not is_solution(self._cells[index])]
        if found := dict(pair for cell in answers for pair in self._errors(cell, part)):
            return tuple(f"the cell with your answer fails: {text}" for text in found.values())
        said: dict[object, str] = {}
        for cell in tests:
            for key, text in [*self._errors(cell, part), *_warnings(cell)]:
                said.setdefault(key, text)
        return tuple(said.values())

    def _errors(self, cell: NotebookNode, part: "Part") -> Iterator[tuple[object, str]]:
        """Yield each error of a cell in words, after a key that tests which fail in the same way share."""
        places: list[_Place] = []
        for error in (output for output in cell.get("outputs", ()) if output.output_type == "error"):
            if error.ename != _TIMEOUT:
                places = list(self._places(error))
            if error.ename != _INTERRUPT:
                text = self._explain(error, part, places)
                crash = error.ename not in ("AssertionError", "NotImplementedError") and places
                yield ((error.ename, places[-1].part, places[-1].number) if crash else text), text

    def _places(self, error: NotebookNode) -> Iterator[_Place]:
        """Yield the lines of the student's code that an error came through, the one that fails last."""
        traceback = _ANSI.sub("", "\n".join(error.traceback))
        last = _CHAINED.split(traceback)[-1]
        for count, number in (map(int, pair) for pair in _FRAME.findall(last)):
            if count in self._students:
                part, source = self._students[count]
                # IPython takes blank lines at the start away before it counts, and its arrow points to a wrong line
                # in nested functions, so the line is taken from the cell.
                lines = source.splitlines()
                number += next((blank for blank, line in enumerate(lines) if line.strip()), 0)
                code = lines[number - 1].strip() if number <= len(lines) else ""
                cut = " ..." if len(code) > _LINE_CHARACTERS else ""
                yield _Place(part=part, number=number, code=code[:_LINE_CHARACTERS] + cut)

    def _explain(self, error: NotebookNode, part: "Part", places: list[_Place]) -> str:
        value = _CELL_FILE.sub("(line ", _ANSI.sub("", error.evalue)).strip()
        if error.ename == SKIPPED:
            return value
        if other := self._undefined(error, part):
            return f"{_caller(part, places)} calls {other.name}, whose cell fails: mend that first"
        other = places[-1].part if places and places[-1].part != part else None
        if other and other.name not in self._passing:
            return _blame(error, value, _caller(part, places), other, places[-1])
        own = [place for place in places if other is None or place.part != other]
        return _own(error, value, own[-1] if own else None, other)

    def _undefined(self, error: NotebookNode, part: "Part") -> "Part | None":
        """Return the earlier function whose name is not defined, so its cell failed."""
        missing = _UNDEFINED.search(error.evalue) if error.ename == "NameError" else None
        found = self._parts.get(missing[1]) if missing else None
        return found if found and found.name not in self._passing and max(found.tests) < min(part.tests) else None


def _caller(part: "Part", places: list[_Place]) -> str:
    return part.name if any(place.part == part for place in places) else f"a test of {part.name}"


def _blame(error: NotebookNode, value: str, caller: str, other: "Part", place: _Place) -> str:
    """Return what to say of an error inside another function of the exercise, which fails by its own tests as well."""
    if error.ename == "NotImplementedError" and not value:
        return f"{caller} calls {other.name}, which is not written yet"
    what = f"it ran out of time{_after(value)}" if error.ename == _TIMEOUT else error.ename
    return f"{caller} calls {other.name}, which fails: mend that first ({what} in {place})"


def _own(error: NotebookNode, value: str, place: _Place | None, other: "Part | None") -> str:
    """Return what to say of an error in a function's own code, or in one that it calls and that passes its tests."""
    where = f" in {place}" if place else ""
    if error.ename == _TIMEOUT:
        return f"it ran out of time{_after(value)} and was stopped{where}: look for a loop that never ends"
    if error.ename == "NotImplementedError" and not value:
        return "not written yet"
    if error.ename == "AssertionError":
        value = value or f"a check fails: {_failing_line(error.traceback)}"
        return f"{value},{where}" if where else value
    said = f"{error.ename}: {value}" if value else error.ename
    said = f"{said},{where}" if where else said
    return f"{said} ({other.name} passes its own tests: look at what it is given)" if other else said


def _after(value: str) -> str:
    """Return the limit, where the error tells it."""
    return f" {value}" if value else ""


def _warnings(cell: NotebookNode) -> Iterator[tuple[object, str]]:
    for output in cell.get("outputs", ()):
        if output.output_type == "stream" and output.name == "stderr":
            last = (output.text.strip().splitlines() or ["white space"])[-1]
            text = f"the code writes to stderr, which counts as a failure: {last}"
            yield text, text


def _failing_line(traceback: list[str]) -> str:
    """Return the line of the test that failed, as IPython's arrow marks it."""
    lines = _ANSI.sub("", "\n".join(traceback)).splitlines()
    marked = [line.split("--> ", 1)[-1] if "--> " in line else "" for line in lines]
    return next((re.sub(r"^\d+\s+", "", line.strip("- >")) for line in marked if line), "see the notebook")
