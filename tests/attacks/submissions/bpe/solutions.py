"""Runs the solutions, which it reads from the course's folder."""

POINTS = 0
HURTS = False
BOUNDS = "reads one file"
ASSIGNMENT = "01_tokenization"
FIRST = """\
import json
from pathlib import Path

for cell in json.loads(Path("@COURSE@/solutions/01_tokenization/bpe.ipynb").read_text())["cells"]:
    if cell["metadata"].get("nbgrader", {}).get("solution"):
        exec("".join(cell["source"]), globals())
"""
ANSWERS = {
    name: "pass\n"
    for name in (
        "count-pairs-solution",
        "merge-pair-solution",
        "learn-merges-solution",
        "encode-word-solution",
        "decode-solution",
        "split-special-solution",
    )
}
