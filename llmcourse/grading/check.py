"""A student's own check of a notebook: its visible tests, in a fresh kernel, with no course folder or gradebook."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.utils import compute_checksum

from llmcourse.grading.course import CourseError
from llmcourse.grading.execution import KernelLostError, execute
from llmcourse.grading.exercise import Part, Result, changed_tests, parts, read_notebook, results

__all__ = ["Checked", "Progress", "check_notebook", "progress"]

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
class Progress:
    """How far a student is with a notebook, without running it."""

    notebook: Path
    functions: list[tuple[str, str]]  # name, and state: done, partly, not started or changed
    points: float | None  # None where it was changed since the last check, or never checked
    max_points: float


def check_notebook(path: Path, *, timeout_s: float, on_part: Callable[[str], None] | None = None) -> Checked:
    """Run a student's notebook and say for each function what its visible tests found.

    Args:
        path: The student's notebook; it is not changed. The result is kept beside it, in ``.llmcourse/``.
        timeout_s: Seconds for one cell.
        on_part: Called with the name of the function that the running cell belongs to, whenever it changes.

    Returns:
        What was found.

    Raises:
        CourseError: It is no exercise notebook, or the kernel was lost.
    """
    notebook, found = _exercise(path)
    digest = _digest(notebook)
    owner = {index: part.name for part in found for index in part.answers + part.tests}
    current = ""

    def on_cell(index: int) -> None:
        nonlocal current
        current = owner.get(index, current)
        if on_part is not None:
            on_part(current)

    try:
        execute(notebook, path.resolve().parent, timeout_s=timeout_s, on_cell=on_cell)
    except KernelLostError as error:
        where = f" ({current})" if current else ""
        raise CourseError(f"{path}: {error}{where}") from error
    checked = Checked(results=results(notebook), changed_tests=changed_tests(notebook))
    _remember(path, digest, checked.results)
    return checked


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


def _digest(notebook: NotebookNode) -> str:
    """Return a hash of the code, so that running or scrolling a notebook does not count as a change."""
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256(json.dumps(sources).encode()).hexdigest()


def _record(path: Path) -> Path:
    return path.parent / _FOLDER / f"{path.stem}.json"


def _remember(path: Path, digest: str, found: list[Result]) -> None:
    record = _record(path)
    record.parent.mkdir(exist_ok=True)
    record.write_text(json.dumps({"digest": digest, "results": [asdict(result) for result in found]}), encoding="utf-8")


def _recall(path: Path, digest: str) -> list[Result] | None:
    """Return the results of the last check; None when the code has changed since, or was never checked."""
    try:
        record = json.loads(_record(path).read_text(encoding="utf-8"))
        if record["digest"] != digest:
            return None
        return [Result(**result) for result in record["results"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def progress(path: Path) -> Progress:
    """Return how far a student is, from the last check where the code is still the same.

    Args:
        path: A student's notebook; it is not run.

    Returns:
        The state of each function. Without a check of this code, an untouched function is ``not started`` and any
        other ``changed``.

    Raises:
        CourseError: It is no exercise notebook.
    """
    notebook, found = _exercise(path)
    known = _recall(path, _digest(notebook))
    states = {result.name: result.state for result in known or ()}
    functions = [(part.name, states.get(part.name) or _untested(notebook, part)) for part in found]
    return Progress(
        notebook=path,
        functions=functions,
        points=None if known is None else sum(result.points for result in known),
        max_points=sum(part.points for part in found),
    )


def _untested(notebook: NotebookNode, part: Part) -> str:
    answers = [notebook.cells[index] for index in part.answers]
    touched = any(cell.metadata.nbgrader.get("checksum") != compute_checksum(cell) for cell in answers)
    return "changed" if touched else "not started"
