"""Runs another student's answers, which it reads from the folder of submissions."""

POINTS = 0
HURTS = False
BOUNDS = "reads one file"
FIRST = """\
import json
from pathlib import Path

other = json.loads(Path("@COURSE@/submitted/00-honest/attacks/steps.ipynb").read_text())
for cell in other["cells"]:
    marks = cell["metadata"].get("nbgrader", {})
    if marks.get("solution"):
        source = "".join(cell["source"])
        print(source)
        exec(source, globals())
"""
ANSWERS = {name: "pass\n" for name in ("add_one", "norm", "cache", "roman", "twice")}
