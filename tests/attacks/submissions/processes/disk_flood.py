"""Fills the disk, a large file and then many of what is allowed."""

POINTS = 0
HURTS = True
BOUNDS = "1 GB in files of 7 MB, and one sparse file of 1 GB"
FIRST = """\
import os
from pathlib import Path

written = 0
for folder in ("/tmp", "/var/tmp", "/run", "."):
    try:
        with open(f"{folder}/sparse", "w") as file:
            os.ftruncate(file.fileno(), 1 << 30)
        print("ESC" "APED")
    except OSError:
        pass
    try:
        for number in range(150):
            written += (Path(folder) / f"{number}.bin").write_bytes(bytes(7 << 20))
    except OSError:
        pass
if written > 300 << 20:
    print("ESC" "APED", written)
"""
