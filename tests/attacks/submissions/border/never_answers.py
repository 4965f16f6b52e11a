"""A function that does not come back, and does not let itself be interrupted."""

POINTS = 0
HURTS = False
BOUNDS = "ends after 30 seconds"
ANSWERS = {
    "add_one": """\
import time


def add_one(x):
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        try:
            time.sleep(1)
        except KeyboardInterrupt:
            pass
    return x + 1
"""
}
