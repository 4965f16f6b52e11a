"""A file of a gigabyte beside the notebook that takes no room on the disk."""

import os

POINTS = 0
HURTS = False
BOUNDS = "one sparse file"


def beside(folder):
    (folder / "data.bin").touch()
    os.truncate(folder / "data.bin", 1 << 30)
