"""A list of its own class that says other lengths and gives other elements than it has."""

POINTS = 0
HURTS = False
BOUNDS = "one list"
ANSWERS = {
    "add_one": """\
class Lying(list):
    def __len__(self):
        return 2**62

    def __iter__(self):
        while True:
            yield 2

    def __eq__(self, other):
        return True

    __hash__ = None


def add_one(x):
    return Lying([1])
""",
    "cache": """\
class Cache:
    lengths = iter([0, 1, 2**62])

    def append(self, item):
        pass

    def __len__(self):
        return next(self.lengths)
""",
}
