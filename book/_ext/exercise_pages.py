"""Make the book's page of each exercise from its source notebook: task text and stubs, nothing that is graded.

The source in ``solutions/`` holds solutions and hidden tests; the page in ``book/exercises/``, which git ignores, is
what a student gets. Only that page is read by Sphinx, so neither the HTML nor the search index nor the copied sources
can hold more. The cut is the one that nbgrader makes on release.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from nbformat import NotebookNode

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "solutions"
PAGES = ROOT / "book" / "exercises"

STUB = "# YOUR CODE HERE\nraise NotImplementedError()"
ANSWER = "YOUR ANSWER HERE"
MARKS = re.compile(r"(BEGIN|END) (SOLUTION|HIDDEN TESTS|MARK SCHEME)")


def cut(source: str, what: str, stub: str = "") -> tuple[str, int]:
    """Replace each block between the marks of ``what`` by ``stub``, indented as its first mark is.

    Returns:
        The source without the blocks, and their number. A block that is not closed is left, for the caller to refuse.
    """
    kept: list[str] = []
    block: list[str] = []
    found = 0
    for line in source.split("\n"):
        if f"BEGIN {what}" in line:
            kept, block = kept + block, [line]
        elif f"END {what}" in line and block:
            indent = block[0][: len(block[0]) - len(block[0].lstrip())]
            kept += [indent + part for part in stub.splitlines()]
            block, found = [], found + 1
        else:
            (block or kept).append(line)
    return "\n".join(kept + block), found


def without_solution(source: str, cell_type: str) -> str:
    """Return a solution cell's source with a stub for each marked solution, or for the whole where none is marked."""
    stub = STUB if cell_type == "code" else ANSWER
    text, found = cut(source, "SOLUTION", stub)
    return text if found or MARKS.search(text) else stub


def released(notebook: NotebookNode, name: str) -> NotebookNode:
    """Return the notebook as a student gets it, without outputs and without nbgrader's metadata.

    Raises:
        ValueError: a marker stays behind, so a block is not closed.
    """
    page = nbformat.from_dict(notebook)
    for cell in page.cells:
        grading = cell.metadata.pop("nbgrader", {})
        if grading.get("solution"):
            cell.source = without_solution(cell.source, cell.cell_type)
        if grading.get("grade"):
            cell.source, _ = cut(cell.source, "HIDDEN TESTS")
        if grading.get("task") or grading.get("grade"):
            cell.source, _ = cut(cell.source, "MARK SCHEME")
        if mark := MARKS.search(cell.source):
            raise ValueError(f"{name}: a cell holds {mark[0]!r} where nothing is cut: {cell.source[:120]!r}")
        if cell.cell_type == "code":
            cell.source = re.sub(r"\n{4,}", "\n\n\n", cell.source)
            cell.outputs, cell.execution_count = [], None
            if grading.get("grade") and not grading.get("solution"):
                cell.metadata["tags"] = sorted({*cell.metadata.get("tags", []), "hide-input"})
    page.cells = [cell for cell in page.cells if cell.source.strip()]
    page.metadata = {"kernelspec": notebook.metadata.get("kernelspec", {}), "language_info": {"name": "python"}}
    return page


def write_pages(sources: Path = SOURCES, pages: Path = PAGES) -> list[Path]:
    """Write the page of each exercise to ``pages`` and return their paths; a page without a source goes."""
    written = []
    for source in sorted(sources.glob("*/*.ipynb")):
        page = released(nbformat.read(source, as_version=4), source.relative_to(sources).as_posix())
        target = pages / source.relative_to(sources)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = nbformat.writes(page) + "\n"
        if not target.is_file() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")
        written.append(target)
    for stale in set(pages.glob("*/*.ipynb")) - set(written):
        stale.unlink()
    return written


def setup(app: "Sphinx") -> dict[str, Any]:
    """Write the pages before Sphinx looks for its sources."""
    write_pages()
    return {"parallel_read_safe": True, "parallel_write_safe": True}
