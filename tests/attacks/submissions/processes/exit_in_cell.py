"""Ends the kernel in the middle of a cell, as if that were a good end."""

POINTS = 0
HURTS = False
BOUNDS = "one process, its own"
FIRST = "import os\n\nos._exit(0)\n"
