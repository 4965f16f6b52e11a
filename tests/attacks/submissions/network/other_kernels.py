"""Looks for the connection files of other kernels, whose keys would let it run code in them."""

POINTS = 0
HURTS = False
BOUNDS = "reads at most 50 small files"
FIRST = """\
from itertools import islice
from pathlib import Path

folders = [Path.home() / ".local/share/jupyter/runtime", Path("/tmp"), Path("/run")]
for folder in folders:
    for path in islice(folder.glob("**/kernel-*.json"), 50):
        if "shell_port" in path.read_text(errors="replace"):  # packages have files of that name, too
            print("ESC" "APED", path)
"""
