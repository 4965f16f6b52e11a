"""An exercise notebook read as a list of functions: what a student writes, its tests, its points, its hints."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import compute_checksum, determine_grade, is_grade, is_locked, is_solution

from llmcourse.grading.failures import Failures

__all__ = ["Part", "Result", "changed_tests", "is_touched", "parts", "read_notebook", "results"]

_DEFINITION = re.compile(r"^(?:async\s+)?(?:def|class)\s+(\w+)", re.MULTILINE)
_WORD = re.compile(r"\w+")
_HINT = re.compile(r"<summary>\s*(?:<[^>]+>\s*)*((?:[^<]*\b)?hint\b[^<]*)", re.IGNORECASE)


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
        """``done``, ``partly``, ``failing`` (no test gives a point), ``not started`` or ``needs a person``."""
        if self.needs_person:
            return "needs a person"
        if self.points >= self.max_points and not self.messages:
            return "done"
        if not self.started:
            return "not started"
        return "partly" if self.points > 0 else "failing"


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
    named by what the answer cells define and the tests use, and where they define nothing by the id of its first cell.

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
                name=_name([notebook.cells[i] for i in answers or tests], [notebook.cells[i] for i in tests]),
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


def _name(cells: list[NotebookNode], tests: list[NotebookNode]) -> str:
    """Return what the cells define: the last name that a test mentions, since a student may add functions."""
    defined = [name for cell in cells for name in _DEFINITION.findall(cell.source) if not name.startswith("_")]
    mentioned = {word for cell in tests for word in _WORD.findall(cell.source)}
    tested = [name for name in defined if name in mentioned]
    return (tested or defined or [cells[0].metadata.nbgrader["grade_id"]])[-1]


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
    found = parts(notebook)
    grades = [[determine_grade(notebook.cells[index])[0] for index in part.tests] for part in found]
    points = [sum(grade or 0.0 for grade in given) for given in grades]
    passing = {part.name for part, given in zip(found, points, strict=True) if given >= part.points}
    failures = Failures(notebook, found, passing)
    return [
        Result(
            name=part.name,
            points=points[number],
            max_points=part.points,
            messages=failures.messages(part),
            hints=part.hints,
            started=any(is_touched(notebook.cells[index]) for index in part.answers),
            needs_person=None in grades[number],
        )
        for number, part in enumerate(found)
    ]


def is_touched(cell: NotebookNode) -> bool:
    """Return whether an answer is no longer what was released."""
    return cell.metadata.nbgrader.get("checksum") != compute_checksum(cell)
