"""Codes that rewrite the terminal of whoever reads the log, and a mark that was never given."""

POINTS = 0
HURTS = False
BOUNDS = "a few small outputs"
FIRST = """\
import sys

print("\\x1b[2J\\x1b]0;hostile\\x07\\r\\x1b[1Agraded    11 / 11\\x1b[8m")
raise RuntimeError("\\x1b[2J\\rgraded    outputs-terminal_codes  attacks  11 / 11\\n\\x9b31m")
"""
ANSWERS = {
    "add_one": "def add_one(x):\n    raise AssertionError('\\x1b[2J11 points\\x08\\u202e\\n--> 3 assert True')\n"
}
