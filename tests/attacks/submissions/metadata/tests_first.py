"""Tests moved before all answers, and then the order turned round."""

POINTS = 0
HURTS = False
BOUNDS = "order of cells"


def change(notebook):
    notebook["cells"].reverse()
