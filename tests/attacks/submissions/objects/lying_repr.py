"""The partial-credit cell's value is read from its text: an object whose repr is the full points."""

POINTS = 0
HURTS = False
BOUNDS = "one object"
ANSWERS = {
    "roman": """\
class Text:
    def __eq__(self, other):
        return self

    __hash__ = None

    def __radd__(self, other):
        return self

    __add__ = __radd__

    def __repr__(self):
        return "3"


def roman(text):
    return Text()
"""
}
