"""Give each code cell of a chapter an address, so that a page can point at the cell that proves what it says.

The label of a cell is ``chapter:cell``, by the notebook's name and the cell's id: ``{ref}`cell <05_rlhf:gae-check>```.
A label without its cell fails the build, as any reference does.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def name_cells(app: "Sphinx", doctree: nodes.document) -> None:
    """Set the id of each code cell, and tell Sphinx of its label."""
    docname = app.env.docname
    path = Path(app.env.doc2path(docname))
    if path.suffix != ".ipynb":
        return
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    domain = app.env.domains["std"]
    for container in doctree.findall(nodes.container):
        if container.get("nb_element") != "cell_code":
            continue
        cell = cells[container["cell_index"]]
        anchor = f"cell-{cell['id']}"
        container["ids"].append(anchor)
        label = f"{path.stem}:{cell['id']}".lower()  # docutils' names are in lower case
        domain.data["labels"][label] = (docname, anchor, cell["id"])
        domain.data["anonlabels"][label] = (docname, anchor)


def setup(app: "Sphinx") -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("doctree-read", name_cells)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
