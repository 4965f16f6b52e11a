"""Test cells turned into raw cells, with outputs that look like full marks."""

POINTS = 0
HURTS = False
BOUNDS = "types of cells"


def change(notebook):
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade"):
            cell["cell_type"] = "raw"
            cell.pop("execution_count")
