"""An exercise notebook read as a list of functions: what a student writes, its tests, its points, its hints."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import compute_checksum, determine_grade, is_grade, is_locked, is_solution

__all__ = ["Part", "Result", "changed_tests", "parts", "read_notebook", "results"]

_DEFINITION = re.compile(r"^(?:async\s+)?(?:def|class)\s+(\w+)", re.MULTILINE)
_HINT = re.compile(r"<summary>\s*(?:<[^>]+>\s*)*((?:[^<]*\b)?hint\b[^<]*)", re.IGNORECASE)
_CELL_FILE = re.compile(r"\(\d+\.py, line ")
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True, kw_only=True)
class Part:
    """A function of an exercise: the cells that a student fills in, and the cells that test it."""

    name: str
    answers: tuple[int, ...]
    tests: tuple[int, ...]
    hints: tuple[str, ...]
    points: float


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a run of a notebook says about one of its functions."""

    name: str
    points: float
    max_points: float
    messages: tuple[str, ...]
    hints: tuple[str, ...]
    started: bool
    needs_person: bool

    @property
    def state(self) -> str:
        """``done``, ``partly``, ``not started`` or ``needs a person``."""
        if self.needs_person:
            return "needs a person"
        if self.points >= self.max_points and not self.messages:
            return "done"
        return "partly" if self.started else "not started"


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook, of whatever version, as version 4.

    Args:
        path: The file.

    Returns:
        The notebook.

    Raises:
        ValueError: It is no notebook; the message says what is wrong with it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name} is not UTF-8 text (byte {error.start}); it is no notebook") from error
    if not text.strip():
        raise ValueError(f"{path.name} is empty")
    try:
        return nbformat.reads(text, as_version=4)
    except nbformat.reader.NotJSONError as error:
        raise ValueError(f"{path.name} is not valid JSON{_where(error)}; open it in JupyterLab and save it") from error
    except (nbformat.ValidationError, AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"{path.name} is JSON, but no notebook: {str(error).splitlines()[0]}") from error


def _where(error: Exception) -> str:
    cause = error.__cause__ or error.__context__
    return f" (line {cause.lineno}, column {cause.colno})" if hasattr(cause, "lineno") else ""  # pyright: ignore


def parts(notebook: NotebookNode) -> list[Part]:
    """Return the functions of an exercise in the order of the notebook.

    A function's cells are the answer cells that follow the previous function's tests, and the tests after them. It is
    named by what the answer cells define, and where they define nothing by the id of its first cell.

    Args:
        notebook: The instructor's, a student's or a graded notebook.

    Returns:
        The functions that are worth points.
    """
    found = []
    for first, answers, tests in _groups(notebook.cells):
        last = max(answers + tests)
        between = notebook.cells[first : last + 1]
        found.append(
            Part(
                name=_name([notebook.cells[i] for i in answers or tests]),
                answers=tuple(answers),
                tests=tuple(tests),
                hints=tuple(hint.strip() for cell in between for hint in _hints(cell)),
                points=sum(float(notebook.cells[i].metadata.nbgrader["points"]) for i in tests),
            )
        )
    return found


def _groups(cells: list[NotebookNode]) -> Iterator[tuple[int, list[int], list[int]]]:
    """Yield the first cell of each function, its answers, and its graded cells."""
    first, answers, tests = 0, [], []
    for index, cell in enumerate(cells):
        if is_solution(cell) and tests:
            yield first, answers, tests
            first, answers, tests = tests[-1] + 1, [], []
        if is_solution(cell):
            answers.append(index)
        if is_grade(cell):
            tests.append(index)
    if tests:
        yield first, answers, tests


def _name(cells: list[NotebookNode]) -> str:
    defined = [name for cell in cells for name in _DEFINITION.findall(cell.source) if not name.startswith("_")]
    return defined[-1] if defined else cells[0].metadata.nbgrader["grade_id"]


def _hints(cell: NotebookNode) -> list[str]:
    return _HINT.findall(cell.source) if cell.cell_type == "markdown" else []


def changed_tests(notebook: NotebookNode) -> list[str]:
    """Return the ids of locked cells whose text is no longer what was released; grading puts it back."""
    return [
        cell.metadata.nbgrader["grade_id"]
        for cell in notebook.cells
        if is_locked(cell) and cell.metadata.nbgrader.get("checksum") not in (None, compute_checksum(cell))
    ]


def results(notebook: NotebookNode) -> list[Result]:
    """Return what a run says about each function, with nbgrader's own rule for points.

    Args:
        notebook: A notebook whose cells were run.

    Returns:
        A result for each of :func:`parts`, in order.
    """
    found = []
    for part in parts(notebook):
        answers, tests = ([notebook.cells[i] for i in indices] for indices in (part.answers, part.tests))
        grades = [determine_grade(cell)[0] for cell in tests]
        found.append(
            Result(
                name=part.name,
                points=sum(grade or 0.0 for grade in grades),
                max_points=part.points,
                messages=_messages(answers, tests),
                hints=part.hints,
                started=any(cell.metadata.nbgrader.get("checksum") != compute_checksum(cell) for cell in answers),
                needs_person=None in grades,
            )
        )
    return found


def _messages(answers: list[NotebookNode], tests: list[NotebookNode]) -> tuple[str, ...]:
    """Return what went wrong; an error in the answer itself explains the tests, so it is told alone."""
    found = [message for cell in answers for message in _complaints(cell, stderr=False)]
    found = [f"the cell with your answer fails: {message}" for message in found]
    found = found or [message for cell in tests if not is_solution(cell) for message in _complaints(cell, stderr=True)]
    return tuple(dict.fromkeys(found))


def _complaints(cell: NotebookNode, *, stderr: bool) -> Iterator[str]:
    for output in cell.get("outputs", ()):
        if output.output_type == "error":
            if output.ename != "KeyboardInterrupt":  # the interrupt of a cell that ran out of time, told as that
                yield _explain(output)
        elif stderr and output.output_type == "stream" and output.name == "stderr":
            yield f"the code writes to stderr, which counts as a failure: {output.text.strip().splitlines()[-1]}"


def _explain(error: NotebookNode) -> str:
    value = _CELL_FILE.sub("(line ", _ANSI.sub("", error.evalue)).strip()
    if error.ename == "NotImplementedError" and not value:
        return "not written yet"
    if error.ename == "CellTimeoutError":
        return "it ran out of time and was stopped: look for a loop that never ends"
    if error.ename == "AssertionError":
        return value or f"a check fails: {_failing_line(error.traceback)}"
    return f"{error.ename}: {value}" if value else error.ename


def _failing_line(traceback: list[str]) -> str:
    """Return the line of the test that failed, as IPython's arrow marks it."""
    lines = _ANSI.sub("", "\n".join(traceback)).splitlines()
    marked = [line.split("--> ", 1)[-1] if "--> " in line else "" for line in lines]
    return next((re.sub(r"^\d+\s+", "", line.strip("- >")) for line in marked if line), "see the notebook")
