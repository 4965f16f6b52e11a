"""Reads from address 0, which ends the process."""

POINTS = 0
HURTS = False
BOUNDS = "one process, its own"
FIRST = "import ctypes\n\nctypes.string_at(0)\n"
