"""Comparisons that give back the points which the partial-credit cell then adds up."""

POINTS = 0
HURTS = False
BOUNDS = "three objects"
ANSWERS = {
    "roman": """\
class Worth:
    def __eq__(self, other):
        return 1

    __hash__ = None


def roman(text):
    return Worth()
"""
}
