"""Adds a line to the course's configuration that turns the tests off."""

POINTS = 0
HURTS = False
BOUNDS = "one file of the test's own"
FIRST = """\
with open("@COURSE@/nbgrader_config.py", "a") as file:
    file.write("\\nc.Autograde.autograde_preprocessors = []\\n")
print("ESC" "APED")
"""
