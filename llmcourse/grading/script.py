"""The instructor's notebook as the judge follows it: what stands before each test, and what it imports."""

import ast
from collections.abc import Iterable, Iterator
from functools import lru_cache

from nbformat import NotebookNode
from nbgrader.utils import is_locked, is_solution

from llmcourse.grading.border.solution_names import names_of, plain, read_names

__all__ = ["Script", "imported_by"]


class Script:
    """The instructor's code cells in their order, from which the judge learns what stands before each test."""

    def __init__(self, source: NotebookNode) -> None:
        self._cells = [cell for cell in source.cells if cell.cell_type == "code"]
        self._next, self._students = 0, set()

    def until(self, grade_id: str) -> Iterator[tuple[bool, str, str]]:
        """Yield what the judge must know before a test.

        Args:
            grade_id: The test cell's id.

        Yields:
            Of each cell since the last test: whether it is a solution, its source, and a name for it.
        """
        ids = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in self._cells]
        stop = ids.index(grade_id) if grade_id in ids else self._next
        for cell in self._cells[self._next : stop]:
            if is_solution(cell):
                self._students |= _defined(cell.source)
                yield True, cell.source, ""
            elif not is_locked(cell) and not read_names(plain(cell.source)) & self._students:
                # a cell that tries out the student's functions would only call them once more
                yield False, cell.source, cell.get("id", "cell")
        self._next = max(self._next, stop + 1)


def imported_by(sources: Iterable[NotebookNode]) -> set[str]:
    """Return the modules that the code cells of some notebooks import, as they name them.

    Args:
        sources: The instructor's notebooks.

    Returns:
        Names, dotted where they are.
    """
    cells = [cell for source in sources for cell in source.cells if cell.cell_type == "code"]
    return {name for cell in cells for name in _imports(cell.source)}


@lru_cache(maxsize=1024)
def _defined(source: str) -> frozenset[str]:
    return frozenset(names_of(source))


@lru_cache(maxsize=1024)  # asked for each submission, of the same cells
def _imports(source: str) -> frozenset[str]:
    """Return the modules that a cell imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(plain(source))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return frozenset(found)
