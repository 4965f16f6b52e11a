"""What differed between a submission's cells and the assignment's, in sentences for the instructor.

Said is what may matter to a mark: a test that was edited or deleted, points or types that were changed, an answer that
is gone, a cell that was to be skipped. Not said is what editors do by themselves, and what every student may do: other
metadata, outputs, cells of their own, a copied or split cell.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_locked, is_solution, is_task

from llmcourse.grading.claims import Handed, same_text
from llmcourse.grading.skeleton import Original

__all__ = ["repairs"]


def repairs(cells: Sequence[Handed], claims: dict[str, int], originals: Sequence[Original]) -> list[str]:
    """Return what was mended in a submission.

    Args:
        cells: The submitted cells.
        claims: The position of a submitted cell for each grade_id that has one.
        originals: The assignment's cells.

    Returns:
        A sentence for each repair.
    """
    found = []
    order = [claims[original.grade_id] for original in originals if original.grade_id in claims]
    if any(first > second for first, second in pairwise(order)):
        found.append("The assignment's cells stood in another order; they were put back in theirs.")
    for original in originals:
        if original.grade_id in claims:
            found += _changes(original, cells[claims[original.grade_id]])
        else:
            found.append(_absent(original))
    own = set(range(len(cells))) - set(claims.values())
    known = {original.grade_id for original in originals}
    return found + [remark for index in sorted(own) for remark in _pretences(cells[index], index + 1, known)]


def _absent(original: Original) -> str:
    kind = "answer" if original.is_answer else "test" if original.is_test else "locked"
    return f"The {kind} cell '{original.grade_id}' was missing; it was added back as it was released."


def _changes(original: Original, handed: Handed) -> Iterator[str]:
    name = f"'{original.grade_id}'"
    if not original.is_answer and not same_text(handed.text, (original.released, original.cell.source)):
        yield f"The text of the locked cell {name} was not the assignment's; it was put back."
    if handed.kind != original.cell.cell_type:
        yield f"The cell {name} had the type {handed.kind}; it is {original.cell.cell_type} again."
    if handed.grade_id != original.grade_id:
        yield f"The cell {name} had lost its id or had another; it was put back."
    elif changed := _changed_marks(original, handed):
        yield f"What nbgrader says of the cell {name} was changed ({changed}); it was put back."
    if handed.skipped:
        yield f"The cell {name} was tagged skip-execution; it is run."
    if original.is_answer and handed.attachments:
        yield f"What was attached to the cell {name} was dropped; it is in the submitted file."


def _changed_marks(original: Original, handed: Handed) -> str:
    """Return the names of those of nbgrader's marks that say something else than the assignment's."""
    theirs = NotebookNode(metadata={"nbgrader": handed.marks})
    roles = {"grade": is_grade, "solution": is_solution, "locked": is_locked, "task": is_task}
    changed = [name for name, role in roles.items() if bool(role(theirs)) != bool(role(original.cell))]
    if original.cell.metadata.nbgrader.get("points") != handed.marks.get("points"):
        changed.append("points")
    return ", ".join(changed)


def _pretences(cell: Handed, number: int, known: set[str]) -> Iterator[str]:
    """Yield what a cell of the student's own claimed to be."""
    if cell.marks.get("grade") and cell.grade_id not in known:
        yield (
            f"Cell {number} of the submission was marked as graded, under the id {cell.grade_id[:60]!r}, which the "
            "assignment does not have; it is a plain cell."
        )
    if cell.skipped:
        yield f"Cell {number} of the submission was tagged skip-execution; it is run."
