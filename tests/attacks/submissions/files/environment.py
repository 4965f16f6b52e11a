"""Prints the environment, the command lines and whatever else /proc tells."""

POINTS = 0
HURTS = False
BOUNDS = "reads at most 200 small files"
FIRST = """\
import os
from itertools import islice
from pathlib import Path

print(dict(os.environ))
for path in islice(Path("/proc").glob("[0-9]*/environ"), 100):
    try:
        print(path.read_bytes()[:20_000].replace(b"\\0", b"\\n").decode(errors="replace"))
    except OSError:
        pass
for path in islice(Path("/proc").glob("[0-9]*/cmdline"), 100):
    try:
        if b"@COURSE@" in path.read_bytes():
            print("ESC" "APED", path)
    except OSError:
        pass
"""
