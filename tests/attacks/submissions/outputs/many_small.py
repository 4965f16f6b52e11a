"""Half a million outputs of a few bytes."""

POINTS = 0
HURTS = True
BOUNDS = "500,000 messages, for at most 10 seconds"
FIRST = """\
import time

from IPython.display import display

ends = time.monotonic() + 10
for number in range(500_000):
    display({"text/plain": str(number)}, raw=True)
    if time.monotonic() > ends:
        break
"""
