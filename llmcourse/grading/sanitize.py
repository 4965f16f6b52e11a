"""Rebuilding a submission on the assignment's own cells, before nbgrader looks at any of its metadata.

The first of nbgrader's ``sanitize_preprocessors``. Of what was handed in it takes text alone: the answers, and the
cells that the student added, as plain cells after the cell that they followed. Everything else, which cells are tests,
their text, order, ids, types and points, is the assignment's. Outputs, tags, attachments, widgets and all other
metadata are dropped, and sizes are capped.

What it had to mend stands in the notebook's metadata, in plain sentences under ``llmcourse``, ``repairs``, and in the
log. It stays there in ``autograded/``; only ``c.ClearMetadataPreprocessor.enabled = True`` would remove it.

It does not judge what the text does: that runs in the sandbox. It expects what
:meth:`~llmcourse.grading.submissions.Submission.problem` accepts, and refuses the rest by a ``ValueError``.
"""

import re
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from itertools import count
from typing import Any

from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_notebook
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Integer

from llmcourse.grading.claims import Handed, claim, handed_cells, places
from llmcourse.grading.repairs import repairs
from llmcourse.grading.skeleton import Original, new_cell, read_skeleton

__all__ = ["Sanitize"]

# Half a character: JSON can write it, UTF-8 and so every file and message cannot.
_SURROGATE = re.compile("[\ud800-\udfff]")
_MAX_REPAIRS = 50


class Sanitize(NbGraderPreprocessor):
    """Put a student's text into the assignment's cells."""

    max_cells = Integer(1_000, help="How many cells of a submission are kept").tag(config=True)
    max_cell_characters = Integer(200_000, help="How many characters of a cell are kept").tag(config=True)
    max_characters = Integer(2_000_000, help="How many characters of all cells together are kept").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Return a notebook of the assignment's cells with the student's answers in them.

        Args:
            nb: What was handed in.
            resources: What nbgrader knows of it: the names of assignment and notebook, the gradebook's address.

        Returns:
            A new notebook, and the resources unchanged.

        Raises:
            ValueError: It has no list of cells, or a cell has no text.
        """
        skeleton = read_skeleton(self, resources["nbgrader"])
        cells, mended = self._within_limits(handed_cells(nb))
        claims = claim(cells, skeleton.cells)
        mended += repairs(cells, claims, skeleton.cells)
        if len(mended) > _MAX_REPAIRS:
            mended = [*mended[:_MAX_REPAIRS], f"There were {len(mended) - _MAX_REPAIRS} more repairs."]
        for sentence in mended:
            self.log.warning(sentence)
        rebuilt = new_notebook(cells=_rebuilt(cells, claims, skeleton.cells), metadata=from_dict(skeleton.metadata))
        rebuilt.metadata.setdefault("llmcourse", NotebookNode())["repairs"] = mended
        return rebuilt, resources

    def _within_limits(self, cells: list[Handed]) -> tuple[list[Handed], list[str]]:
        """Return the cells cut to the limits and cleared of what no file can hold, and what was said of that."""
        kept, said, left = [], [], self.max_characters
        if len(cells) > self.max_cells:
            said.append(
                f"The submission has {len(cells):,} cells; those after the first {self.max_cells:,} were dropped."
            )
        for number, cell in enumerate(cells[: self.max_cells], start=1):
            size, limit = len(cell.text), min(left, self.max_cell_characters)
            if size > limit:
                said.append(f"Cell {number} of the submission has {size:,} characters; those after {limit:,} were cut.")
            text, broken = _SURROGATE.subn("\ufffd", cell.text[:limit])
            if broken:
                said.append(f"Cell {number} of the submission held {broken:,} broken characters (lone surrogates).")
            kept.append(replace(cell, text=text))
            left -= len(text)
        return kept, said


def _rebuilt(cells: Sequence[Handed], claims: dict[str, int], originals: Sequence[Original]) -> list[NotebookNode]:
    """Return the assignment's cells with the student's own between them, each with an id of its own."""
    own = places(cells, claims, originals)
    taken = {original.cell.id for original in originals}
    fresh = (name for number in count(1) if (name := f"cell-{number}") not in taken)
    rebuilt = [new_cell(cell.kind, cell.text, next(fresh)) for cell in own.get(-1, ())]
    for index, original in enumerate(originals):
        cell = deepcopy(original.cell)
        if original.is_answer:
            handed = claims.get(original.grade_id)
            cell.source = original.released if handed is None else cells[handed].text
        cell.id = cell.id or next(fresh)
        rebuilt += [cell, *(new_cell(added.kind, added.text, next(fresh)) for added in own.get(index, ()))]
    return rebuilt
