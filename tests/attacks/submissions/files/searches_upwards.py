"""Looks for notebooks in all folders above its own and in the usual places, and prints what they hold."""

POINTS = 0
HURTS = False
BOUNDS = "reads at most 100 notebooks, for 5 seconds"
FIRST = """\
import time
from itertools import islice
from pathlib import Path

ends = time.monotonic() + 5
for folder in [*Path.cwd().parents, Path("@COURSE@")][::-1]:
    for pattern in ("*.ipynb", "solutions/*/*.ipynb", "submitted/*/*/*.ipynb", "source/*/*.ipynb"):
        for path in islice(folder.glob(pattern), 20):
            if time.monotonic() < ends:
                print(path, path.read_text(errors="replace")[:20_000])
"""
