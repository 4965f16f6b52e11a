"""Which cell of a submission is which cell of the assignment, when nothing that the submission says of itself is sure.

A cell is one of the assignment's by, in this order, the id that nbgrader gave it, the cell's own id, or the text of a
locked cell: some editors drop the first, some the second. Where several claim to be the same, as after splitting or
copying a cell, the first is, of a locked cell the first that was not edited; the others are the student's own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode

from llmcourse.grading.skeleton import Original

__all__ = ["Handed", "claim", "handed_cells", "places", "same_text"]

_KINDS = ("code", "markdown", "raw")


@dataclass(frozen=True, kw_only=True)
class Handed:
    """A cell as it was handed in: the little of it that is looked at."""

    kind: str
    text: str
    cell_id: str = ""
    marks: dict[str, Any] = field(default_factory=dict)
    skipped: bool = False
    attachments: bool = False

    @property
    def grade_id(self) -> str:
        """What nbgrader's metadata call it; nothing where they do not."""
        name = self.marks.get("grade_id")
        return name if isinstance(name, str) else ""


def handed_cells(notebook: NotebookNode) -> list[Handed]:
    """Return the cells of a submitted notebook, of whatever is in it.

    Args:
        notebook: As nbformat read it.

    Returns:
        A cell for each; what has no known type is raw, so that it is shown and not run.

    Raises:
        ValueError: The notebook has no list of cells, or a cell has no text; the message says which.
    """
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        raise ValueError("it has no list of cells; open it in JupyterLab and save it")
    return [_handed(cell, number) for number, cell in enumerate(cells, start=1)]


def _handed(cell: Any, number: int) -> Handed:
    text = cell.get("source") if isinstance(cell, dict) else None
    if not isinstance(text, str):
        raise ValueError(f"cell {number} has no text; open it in JupyterLab, mend the cell and save it")
    metadata = cell.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    marks, tags, cell_id = metadata.get("nbgrader"), metadata.get("tags"), cell.get("id")
    return Handed(
        kind=next((kind for kind in _KINDS if kind == cell.get("cell_type")), "raw"),
        text=text,
        cell_id=cell_id if isinstance(cell_id, str) else "",
        marks=marks if isinstance(marks, dict) else {},
        skipped=isinstance(tags, list) and "skip-execution" in tags,
        attachments=bool(cell.get("attachments")),
    )


def claim(cells: Sequence[Handed], originals: Sequence[Original]) -> dict[str, int]:
    """Return which submitted cell is which of the assignment's.

    Args:
        cells: The submitted cells.
        originals: The assignment's.

    Returns:
        The position of a submitted cell for each grade_id that one was found for.
    """
    known = {original.grade_id for original in originals}
    by_cell = {original.cell.id: original.grade_id for original in originals if original.cell.id}
    by_text = {_plain(original.released): original.grade_id for original in originals if not original.is_answer}
    texts = [by_text.get(_plain(cell.text), "") for cell in cells]
    intact = [bool(text) and text == cell.grade_id for text, cell in zip(texts, cells, strict=True)]
    found: dict[str, int] = {}
    for index in sorted(range(len(cells)), key=lambda index: not intact[index]):
        if cells[index].grade_id in known:
            found.setdefault(cells[index].grade_id, index)
    for names in ([by_cell.get(cell.cell_id, "") for cell in cells], texts):
        taken = set(found.values())
        for index, name in enumerate(names):
            if name and index not in taken:
                found.setdefault(name, index)
    return found


def same_text(text: str, others: Iterable[str]) -> bool:
    """Return whether a text is one of others, but for white space at the ends of lines and empty lines at its ends."""
    return _plain(text) in {_plain(other) for other in others}


def _plain(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")


def places(cells: Sequence[Handed], claims: dict[str, int], originals: Sequence[Original]) -> dict[int, list[Handed]]:
    """Return the student's own cells, by the position of the assignment's cell that they are put after.

    That is the one they followed. Where the next ones were deleted, and are added back, own cells are put after those
    too, up to the next test: the cell that a student wrote in place of a deleted answer must not be undone by the empty
    answer that is added back.

    Args:
        cells: The submitted cells.
        claims: What :func:`claim` found.
        originals: The assignment's cells.

    Returns:
        The cells in the order in which they were handed in; -1 is before the first of the assignment's.
    """
    position = {original.grade_id: index for index, original in enumerate(originals)}
    claimed = {index: position[name] for name, index in claims.items()}
    after, found = -1, {}
    for index, cell in enumerate(cells):
        if index in claimed:
            after = claimed[index]
        else:
            found.setdefault(after, []).append(cell)
    return {_settled(after, claims, originals): own for after, own in found.items()}


def _settled(after: int, claims: dict[str, int], originals: Sequence[Original]) -> int:
    for original in originals[after + 1 :]:
        if original.grade_id in claims or original.is_test:
            break
        after += 1
    return after
