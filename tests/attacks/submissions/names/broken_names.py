"""A file name that is no UTF-8."""

import os
from pathlib import Path

POINTS = 0
HURTS = False
BOUNDS = "one small file"


def beside(folder):
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xfe.txt")).write_text("x")
