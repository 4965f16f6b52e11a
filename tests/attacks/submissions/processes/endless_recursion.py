"""Recursion until the stack is used up, past the interpreter's own limit."""

POINTS = 0
HURTS = True
BOUNDS = "one stack"
ANSWERS = {
    "add_one": """\
import sys

sys.setrecursionlimit(10**8)


class Deep:
    def __repr__(self):
        return repr([self])


def add_one(x):
    return repr(Deep())
"""
}
