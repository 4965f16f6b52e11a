"""Test cells whose text is replaced by nothing."""

POINTS = 0
HURTS = False
BOUNDS = "text of cells"


def change(notebook):
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade"):
            cell["source"] = "11"
