"""Test cells declared to be unlocked answers, and then emptied."""

POINTS = 0
HURTS = False
BOUNDS = "marks of cells"


def change(notebook):
    for cell in notebook["cells"]:
        marks = cell["metadata"].get("nbgrader", {})
        if marks.get("grade"):
            marks.update(locked=False, solution=True)
            cell["source"] = "pass"
