"""Checksums and types of cells, set to what says that nothing was changed."""

POINTS = 0
HURTS = False
BOUNDS = "metadata of cells"


def change(notebook):
    for cell in notebook["cells"]:
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"] |= {"checksum": "0" * 32, "cell_type": "markdown", "remove": True}
