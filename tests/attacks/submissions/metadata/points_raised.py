"""Points of the tests set to a million, to infinity, to a negative number and to a text."""

POINTS = 0
HURTS = False
BOUNDS = "a number a cell"


def change(notebook):
    wanted = iter([1e6, float("inf"), -5, "100", 10**400])
    for cell in notebook["cells"]:
        marks = cell["metadata"].get("nbgrader", {})
        if marks.get("grade"):
            marks["points"] = next(wanted, float("nan"))
