"""A loop that catches every interrupt."""

POINTS = 0
HURTS = True
BOUNDS = "ends after 30 seconds"
FIRST = """\
import time

ends = time.monotonic() + 30
while time.monotonic() < ends:
    try:
        while time.monotonic() < ends:
            pass
    except BaseException:
        pass
"""
