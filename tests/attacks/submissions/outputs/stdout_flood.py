"""A gigabyte on standard output."""

POINTS = 0
HURTS = True
BOUNDS = "1 GB, for at most 10 seconds"
FIRST = """\
import time

ends = time.monotonic() + 10
for _ in range(1_000):
    print("A" * 1_000_000)
    if time.monotonic() > ends:
        break
"""
