"""Marks in a version of long ago, which nbgrader would convert by rules of that time."""

POINTS = 0
HURTS = False
BOUNDS = "marks of cells"


def change(notebook):
    for number, cell in enumerate(notebook["cells"]):
        if "nbgrader" in cell["metadata"]:
            marks = cell["metadata"]["nbgrader"]
            marks["schema_version"] = number % 3
            marks.pop("task", None)
            marks["points"] = "11"
