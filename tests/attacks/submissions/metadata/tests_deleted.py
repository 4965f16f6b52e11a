"""A notebook without its tests, and without any of nbgrader's marks."""

POINTS = 0
HURTS = False
BOUNDS = "fewer cells"


def change(notebook):
    kept = [cell for cell in notebook["cells"] if not cell["metadata"].get("nbgrader", {}).get("grade")]
    notebook["cells"] = kept
    for cell in kept:
        cell["metadata"].pop("nbgrader", None)
