"""What a student answered, function by function, and what the tests said to it, from a graded notebook."""

from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.utils import is_locked

from llmcourse.grading.exercise import Part, parts, read_notebook, results
from llmcourse.grading.messages import one_line

__all__ = ["Answer", "read_answers"]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The code of a function with what the student added before its tests, and the first message of a failing test."""

    code: str
    message: str


def read_answers(path: Path) -> dict[str, Answer]:
    """Read the answers of a notebook.

    Args:
        path: A graded or a released notebook; it need not exist, nor be one.

    Returns:
        Answers by the id of the first cell that grades them.
    """
    try:
        notebook = read_notebook(path)
    except (OSError, ValueError):
        return {}
    found, start = {}, 0
    for part, result in zip(parts(notebook), results(notebook), strict=True):
        message = one_line(result.messages[0]) if result.messages else ""
        first = notebook.cells[part.tests[0]].metadata.nbgrader["grade_id"]
        found[first] = Answer(code=_code(notebook, start, part), message=message)
        start = part.tests[-1] + 1
    return found


def _code(notebook: NotebookNode, start: int, part: Part) -> str:
    cells = notebook.cells[start : part.tests[-1] + 1]
    return "\n".join(cell.source for cell in cells if cell.cell_type == "code" and not is_locked(cell))
