"""A file name with a line break and a terminal's escape codes in it."""

POINTS = 0
HURTS = False
BOUNDS = "one small file"
FILES = {"graded    00-honest  0 \n\x1b[2Jgraded": "x"}
