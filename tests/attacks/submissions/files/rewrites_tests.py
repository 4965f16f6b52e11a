"""Takes the tests out of the instructor's notebook, for all that are graded after it."""

POINTS = 0
HURTS = False
BOUNDS = "one file of the test's own"
FIRST = """\
import json
from pathlib import Path

path = Path("@COURSE@/solutions/attacks/steps.ipynb")
source = json.loads(path.read_text())
for cell in source["cells"]:
    if cell["metadata"].get("nbgrader", {}).get("grade"):
        cell["source"] = "pass"
path.write_text(json.dumps(source))
print("ESC" "APED")
"""
