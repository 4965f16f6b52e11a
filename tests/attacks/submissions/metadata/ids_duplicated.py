"""A second cell under each test's id, which passes."""

import copy

POINTS = 0
HURTS = False
BOUNDS = "twice as many cells"


def change(notebook):
    cells = []
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade"):
            cells.append(copy.deepcopy(cell) | {"source": "pass"})
        cells.append(cell)
        if cell["metadata"].get("nbgrader", {}).get("grade"):
            cells.append(copy.deepcopy(cell) | {"source": "pass"})
    notebook["cells"] = cells
