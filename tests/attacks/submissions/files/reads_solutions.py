"""Runs the instructor's solutions, which it reads from the course's folder."""

POINTS = 0
HURTS = False
BOUNDS = "reads one file"
FIRST = """\
import json
from pathlib import Path

source = json.loads(Path("@COURSE@/solutions/attacks/steps.ipynb").read_text())


def answer(grade_id):
    for cell in source["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == grade_id:
            exec("".join(cell["source"]), globals())
"""
ANSWERS = {name: f'answer("{name}")\n' for name in ("add_one", "norm", "cache", "roman", "twice")}
