"""A named pipe, at which whoever opens it waits for ever."""

import os

POINTS = 0
HURTS = False
BOUNDS = "one pipe"


def beside(folder):
    os.mkfifo(folder / "data.csv")
