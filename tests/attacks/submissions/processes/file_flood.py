"""Empty files without end."""

POINTS = 0
HURTS = True
BOUNDS = "200,000 empty files, for 2 seconds"
FIRST = """\
import time

ends = time.monotonic() + 2
try:
    for number in range(200_000):
        open(f"/tmp/{number}", "w").close()
        if time.monotonic() > ends:
            break
except OSError:
    pass
"""
