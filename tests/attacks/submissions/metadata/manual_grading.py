"""Answers and tests declared to be graded by hand, as tasks."""

POINTS = 0
HURTS = False
BOUNDS = "marks of cells"


def change(notebook):
    for cell in notebook["cells"]:
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"].update(task=True, grade=True, solution=True, points=50)
