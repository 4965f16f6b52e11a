"""Comparisons that give back objects which take over the sum of the partial-credit cell."""

POINTS = 0
HURTS = False
BOUNDS = "four objects"
ANSWERS = {
    "roman": """\
class Sum:
    def __radd__(self, other):
        return 3.0

    __add__ = __radd__

    def __eq__(self, other):
        return self

    __hash__ = None

    def __repr__(self):
        return "3.0"


def roman(text):
    return Sum()
"""
}
