"""Test cells turned into text, which is not run."""

POINTS = 0
HURTS = False
BOUNDS = "types of cells"


def change(notebook):
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade"):
            cell["cell_type"] = "markdown"
            cell.pop("outputs")
            cell.pop("execution_count")
