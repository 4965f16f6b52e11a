"""Memory in files without names, which no folder's size limits."""

POINTS = 0
HURTS = True
BOUNDS = "2 GB in 300 files of 7 MB"
FIRST = """\
import os

held = 0
for number in range(300):
    try:
        held += os.write(os.memfd_create(f"{number}"), bytes(7 << 20))
    except OSError:
        break
if held > 1200 << 20:
    print("ESC" "APED", held)
"""
