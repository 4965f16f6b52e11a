"""Ids of answers and tests exchanged, so that an answer of the student's stands in for a test."""

POINTS = 0
HURTS = False
BOUNDS = "ids of cells"


def change(notebook):
    for cell in notebook["cells"]:
        marks = cell["metadata"].get("nbgrader", {})
        name = marks.get("grade_id", "")
        if name:
            marks["grade_id"] = name.removeprefix("test_") if name.startswith("test_") else f"test_{name}"
        if marks.get("solution"):
            cell["source"] = "pass"
