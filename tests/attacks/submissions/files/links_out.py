"""Links in its working folder that lead to the course, for the grader to follow."""

POINTS = 0
HURTS = False
BOUNDS = "three links"
FIRST = """\
import os

for name, target in (("steps.ipynb.new", "@COURSE@/gradebook.db"), ("out", "@MARK@"), ("up", "/")):
    os.symlink(target, name)
with open("out", "w") as file:
    file.write("x")
"""
