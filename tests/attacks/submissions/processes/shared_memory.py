"""Fills the shared memory of the machine."""

POINTS = 0
HURTS = True
BOUNDS = "1 GB in files of 7 MB"
FIRST = """\
from pathlib import Path

written = 0
for folder in ("/dev/shm", "/run/shm", "/run/lock"):
    try:
        for number in range(150):
            written += (Path(folder) / f"{number}").write_bytes(bytes(7 << 20))
    except OSError:
        pass
if written > 300 << 20:
    print("ESC" "APED", written)
"""
