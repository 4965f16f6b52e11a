"""All cells under one cell id."""

POINTS = 0
HURTS = False
BOUNDS = "ids of cells"


def change(notebook):
    for cell in notebook["cells"]:
        cell["id"] = "same"
