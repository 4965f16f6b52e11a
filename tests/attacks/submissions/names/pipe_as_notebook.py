"""A notebook that is a named pipe."""

import os

POINTS = 0
HURTS = False
BOUNDS = "one pipe"


def beside(folder):
    (folder / "steps.ipynb").unlink()
    os.mkfifo(folder / "steps.ipynb")
