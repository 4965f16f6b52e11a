"""An object that says its class is int, and answers all arithmetic."""

POINTS = 0
HURTS = False
BOUNDS = "one object"
ANSWERS = {
    "add_one": """\
class Liar:
    __class__ = int

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 2

    def __index__(self):
        return 2

    __int__ = __add__ = __radd__ = __sub__ = __rsub__ = lambda self, *_: 0


def add_one(x):
    return Liar()
"""
}
