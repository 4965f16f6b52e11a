"""Writes a file where it has no business to."""

POINTS = 0
HURTS = False
BOUNDS = "one empty file of the test's own"
FIRST = 'open("@MARK@", "w").close()\n'
