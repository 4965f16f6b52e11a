"""The cells of an assignment as nbgrader will grade them, in the order of the instructor's notebook.

Two places know them. The gradebook holds each marked cell as it was released: hidden tests in it, solutions cleared,
generated tests written out; nbgrader compares with that, so that it alone says which cells there are, their text, type
and points. It does not keep their order, nor what else the instructor wrote into the metadata; that is read from the
source notebook, where it is still there. Cells that the instructor left unmarked are the student's to change, and are
not part of the skeleton.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_notebook
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme
from nbgrader.utils import is_grade, is_locked, is_solution
from traitlets.config import Configurable

from llmcourse.grading.exercise import read_notebook

__all__ = ["Original", "Skeleton", "new_cell", "read_skeleton"]

_KEPT = 32
_skeletons: dict[tuple[object, ...], "Skeleton"] = {}
_PYTHON = {"name": "python3", "display_name": "Python 3", "language": "python"}


@dataclass(frozen=True, kw_only=True)
class Original:
    """A marked cell of the assignment: as it is graded, and its text as students got it."""

    grade_id: str
    cell: NotebookNode
    released: str

    @property
    def is_answer(self) -> bool:
        """Whether its text is the student's."""
        return not is_locked(self.cell)

    @property
    def is_test(self) -> bool:
        """Whether it is worth points by running."""
        return is_grade(self.cell) and not is_solution(self.cell)


@dataclass(frozen=True, kw_only=True)
class Skeleton:
    """The marked cells in their order, and the notebook's metadata."""

    cells: tuple[Original, ...]
    metadata: dict[str, Any]


def read_skeleton(parent: Configurable, submission: dict[str, str]) -> Skeleton:
    """Return the cells that a submission must have.

    Args:
        parent: Whose configuration says where the course is: a preprocessor of nbgrader's.
        submission: What nbgrader says of it in ``resources["nbgrader"]``: assignment, notebook, db_url.

    Returns:
        The cells; without the source notebook, in the gradebook's order and with no more metadata than nbgrader's.
    """
    assignment, name, db_url = (submission[key] for key in ("assignment", "notebook", "db_url"))
    course = CourseDirectory(parent=parent)
    source = Path(course.format_path(course.source_directory, ".", assignment)) / f"{name}.ipynb"
    gradebook = Path(db_url.removeprefix("sqlite:///"))
    # A class hands in the same notebook hundreds of times. A database that is no file does not say when it changes.
    versions: object = (_version(source), _version(gradebook)) if db_url.startswith("sqlite:///") else object()
    key = (str(source), db_url, versions, repr(parent.config))
    if key not in _skeletons:
        if len(_skeletons) >= _KEPT:
            _skeletons.clear()
        _skeletons[key] = _read_skeleton(parent, source, assignment, name, db_url)
    return _skeletons[key]


def _version(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _read_skeleton(parent: Configurable, path: Path, assignment: str, name: str, db_url: str) -> Skeleton:
    source = _source(path)
    known = {cell.metadata.nbgrader["grade_id"]: cell for cell in source.cells if is_marked(cell)}
    order = {grade_id: index for index, grade_id in enumerate(known)}
    with Gradebook(db_url) as gradebook:
        notebook = gradebook.find_notebook(name, assignment)
        recorded = {cell.name: _cell(cell, known.get(cell.name)) for cell in notebook.source_cells}
        _mark(recorded, notebook)
        kernel = json.loads(str(notebook.kernelspec or "{}"))
    names = sorted(recorded, key=lambda grade_id: order.get(grade_id, len(order)))
    clear = ClearHiddenTests(parent=parent), ClearMarkScheme(parent=parent)
    return Skeleton(
        cells=tuple(
            Original(grade_id=grade_id, cell=recorded[grade_id], released=_released(recorded[grade_id], clear))
            for grade_id in names
        ),
        metadata=_metadata(source, kernel),
    )


def is_marked(cell: NotebookNode) -> bool:
    """Return whether an instructor marked a cell for nbgrader, so that the gradebook knows it."""
    marks = cell.metadata.get("nbgrader", {})
    return any(marks.get(key) for key in ("grade", "solution", "locked", "task"))


def _source(path: Path) -> NotebookNode:
    """Return the instructor's notebook, an empty one where it is gone or half edited."""
    try:
        return _read(path, path.stat().st_mtime_ns)
    except (OSError, ValueError):
        return new_notebook()


@lru_cache(maxsize=32)
def _read(path: Path, modified_ns: int) -> NotebookNode:
    """Read a notebook once per version of it: a class hands in the same assignment hundreds of times."""
    return read_notebook(path)


def _cell(recorded: Any, source: NotebookNode | None) -> NotebookNode:
    """Return a cell of the gradebook, with what the source notebook has in its metadata beside nbgrader's."""
    marks = {"schema_version": 3, "grade": False, "solution": False, "task": False}
    marks |= {"grade_id": recorded.name, "locked": recorded.locked, "cell_type": recorded.cell_type}
    marks |= {"checksum": recorded.checksum} if recorded.checksum else {}
    own = {key: value for key, value in (source.metadata if source else {}).items() if key != "nbgrader"}
    cell_id = source.id if source else ""  # without one, it gets one when the notebook is put together
    return new_cell(recorded.cell_type, recorded.source, cell_id, {**own, "nbgrader": marks})


def new_cell(kind: str, text: str, cell_id: str, metadata: dict[str, Any] | None = None) -> NotebookNode:
    """Return a cell with no output; nbformat's own functions validate each cell by itself, which adds up to a third.

    Args:
        kind: ``code``, ``markdown`` or ``raw``.
        text: Its source.
        cell_id: Its id.
        metadata: Its metadata; none is the default.

    Returns:
        The cell.
    """
    outputs = {"outputs": [], "execution_count": None} if kind == "code" else {}
    cell = {"cell_type": kind, "id": cell_id, "metadata": metadata or {}, "source": text, **outputs}
    return cast(NotebookNode, from_dict(cell))


def _mark(cells: dict[str, NotebookNode], notebook: Any) -> None:
    """Write into the cells which are graded, with their points, and which are answers."""
    for solution in notebook.solution_cells:
        cells[solution.name].metadata.nbgrader["solution"] = True
    for kind, found in (("grade", notebook.grade_cells), ("task", notebook.task_cells)):
        for graded in found:
            cells[graded.name].metadata.nbgrader.update({kind: True, "points": graded.max_score})


def _released(cell: NotebookNode, clear: tuple[ClearHiddenTests, ClearMarkScheme]) -> str:
    copy = NotebookNode(cell)
    for preprocessor in clear:
        copy, _ = preprocessor.preprocess_cell(copy, {}, 0)  # pyright: ignore[reportArgumentType]
    return copy.source


def _metadata(source: NotebookNode, kernel: dict[str, Any]) -> dict[str, Any]:
    """Return what the instructor says of the notebook: its kernel, its language, and the course's own settings."""
    kept = {key: source.metadata[key] for key in ("language_info", "llmcourse") if key in source.metadata}
    return {"language_info": {"name": "python"}, **kept, "kernelspec": kernel or _PYTHON}
