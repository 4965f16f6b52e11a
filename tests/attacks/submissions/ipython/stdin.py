"""Asks the grader for input, which nobody will type."""

POINTS = 0
HURTS = False
BOUNDS = "one question"
FIRST = """\
kernel = get_ipython().kernel
kernel._allow_stdin = True
print(input("full marks? "))
"""
ANSWERS = {"add_one": "def add_one(x):\n    return input('what is one more?')\n"}
