"""A student's own check of a notebook: its visible tests, in a fresh kernel, with no course folder or gradebook.

What a check finds is kept beside the notebook, for each function with a hash of what its result depends on, so that
``progress`` can tell what of it still holds without running anything.
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from nbformat import NotebookNode

from llmcourse.grading.course import CourseError
from llmcourse.grading.execution import KernelLostError, execute
from llmcourse.grading.exercise import Part, Result, changed_tests, is_touched, parts, read_notebook, results
from llmcourse.grading.failures import ran_out_of_time
from llmcourse.grading.fingerprint import fingerprints

__all__ = ["Checked", "Progress", "Standing", "check_notebook", "progress"]

_FOLDER = ".llmcourse"


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What a check found: a result for each function, and the tests that were edited."""

    results: list[Result]
    changed_tests: list[str]

    @property
    def passed(self) -> bool:
        """Whether all visible tests pass."""
        return all(result.state in ("done", "needs a person") for result in self.results)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far a student is with one function.

    ``state`` is that of its last result, ``changed`` where the function, or what it depends on, has changed since or
    was never checked, and ``not started``. ``points`` are those of the last check, old where the state is ``changed``;
    None without one.
    """

    name: str
    state: str
    points: float | None
    max_points: float


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a student is with a notebook, without running it."""

    notebook: Path
    functions: list[Standing]

    @property
    def points(self) -> float | None:
        """What the last check of each function gave in all, old points among them; None where none was checked."""
        known = [item.points for item in self.functions if item.points is not None]
        return sum(known) if known else None

    @property
    def old_points(self) -> float:
        """How many of the points are of functions that have changed since."""
        return sum(item.points or 0.0 for item in self.functions if item.state == "changed")

    @property
    def max_points(self) -> float:
        """What all functions are worth."""
        return sum(item.max_points for item in self.functions)


def check_notebook(
    path: Path,
    *,
    timeout_s: float,
    on_cell: Callable[[str], None] | None = None,
    on_result: Callable[[Result, float], None] | None = None,
) -> Checked:
    """Run a student's notebook and say for each function what its visible tests found.

    Once a cell of a function runs out of time, the tests of that function which are left are not run, and neither are
    the student's own cells after the last test.

    Args:
        path: The student's notebook; it is not changed. The result is kept beside it, in ``.llmcourse/``.
        timeout_s: Seconds for one cell.
        on_cell: Called when a cell is about to run, with the name of the function that it belongs to, empty for a cell
            of the student's own.
        on_result: Called when all cells of a function have run, with its result and the seconds that they took.

    Returns:
        What was found.

    Raises:
        CourseError: It is no exercise notebook, or the kernel was lost.
    """
    notebook, found = _exercise(path)
    prints = fingerprints(notebook, found)
    run = _Run(notebook, found, on_cell or (lambda name: None), on_result or (lambda result, seconds: None))
    try:
        execute(notebook, path.resolve().parent, timeout_s=timeout_s, on_cell=run.begin, skip=run.skip)
    except KernelLostError as error:
        where = f" ({run.current})" if run.current else ""
        raise CourseError(f"{path}: {error}{where}") from error
    run.tell(len(notebook.cells))
    checked = Checked(results=results(notebook), changed_tests=changed_tests(notebook))
    _remember(path, _keys(notebook, found), prints, checked.results)
    return checked


class _Run:
    """Follows the cells of one check: which function is running, which have ended, and what need not be run."""

    def __init__(
        self,
        notebook: NotebookNode,
        found: list[Part],
        on_cell: Callable[[str], None],
        on_result: Callable[[Result, float], None],
    ) -> None:
        self._notebook, self._parts = notebook, found
        self._owner = {index: part for part in found for index in part.answers + part.tests}
        self._on_cell, self._on_result = on_cell, on_result
        self._told = 0
        self._began: dict[str, float] = {}
        self.current = ""

    def begin(self, index: int) -> None:
        """Tell which function a cell belongs to that is about to run, and the results of those before it."""
        self.tell(index)
        if self._notebook.cells[index].cell_type == "code":
            part = self._owner.get(index)
            self.current = part.name if part else ""
            self._began.setdefault(self.current, time.monotonic())
            self._on_cell(self.current)

    def tell(self, index: int) -> None:
        """Tell the results of the functions whose cells all stand before one."""
        while self._told < len(self._parts) and max(self._parts[self._told].tests) < index:
            result = results(self._notebook)[self._told]
            self._told += 1
            self._on_result(result, time.monotonic() - self._began.get(result.name, time.monotonic()))

    def skip(self, index: int) -> str | None:
        """Return why a cell is not run; None for one that is."""
        cells, part = self._notebook.cells, self._owner.get(index)
        if part and any(ran_out_of_time(cells[before]) for before in part.answers + part.tests if before < index):
            return "the rest of its tests were not run, since one before them ran out of time"
        if index > max(self._parts[-1].tests) and any(map(ran_out_of_time, cells[:index])):
            return "nothing is graded after this"
        return None


def _exercise(path: Path) -> tuple[NotebookNode, list[Part]]:
    if not path.is_file():
        raise CourseError(f"there is no file {path}")
    try:
        notebook = read_notebook(path)
    except ValueError as error:
        raise CourseError(str(error)) from error
    found = parts(notebook)
    if not found:
        raise CourseError(f"{path} holds no tests of this course; is it an exercise that was released to you?")
    return notebook, found


def _keys(notebook: NotebookNode, found: list[Part]) -> list[str]:
    """Return what names each function for good: the id of its first cell, since a student may rename the function."""
    return [notebook.cells[min(part.answers + part.tests)].metadata.nbgrader["grade_id"] for part in found]


def _record(path: Path) -> Path:
    return path.parent / _FOLDER / f"{path.stem}.json"


def _remember(path: Path, keys: list[str], prints: list[str], found: list[Result]) -> None:
    record = _record(path)
    record.parent.mkdir(exist_ok=True)
    kept = {
        key: {"fingerprint": now, "result": asdict(result)}
        for key, now, result in zip(keys, prints, found, strict=True)
    }
    record.write_text(json.dumps({"functions": kept}), encoding="utf-8")


def _recall(path: Path) -> dict[str, tuple[str, Result]]:
    """Return the result of the last check of each function, with its fingerprint then; nothing without a check."""
    try:
        kept = json.loads(_record(path).read_text(encoding="utf-8"))["functions"]
        return {key: (item["fingerprint"], Result(**item["result"])) for key, item in kept.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def progress(path: Path) -> Progress:
    """Return how far a student is, from the last check of each function.

    Args:
        path: A student's notebook; it is not run.

    Returns:
        The standing of each function.

    Raises:
        CourseError: It is no exercise notebook.
    """
    notebook, found = _exercise(path)
    known = _recall(path)
    standings = []
    for part, key, now in zip(found, _keys(notebook, found), fingerprints(notebook, found), strict=True):
        then, result = known.get(key, ("", None))
        touched = any(is_touched(notebook.cells[index]) for index in part.answers)
        state = result.state if result and then == now else "changed" if touched else "not started"
        points = result.points if result else None
        standings.append(Standing(name=part.name, state=state, points=points, max_points=part.points))
    return Progress(notebook=path, functions=standings)
