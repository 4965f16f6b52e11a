"""Results that never end when they are iterated, indexed or compared."""

POINTS = 0
HURTS = False
BOUNDS = "each loop ends after 20 seconds"
ANSWERS = {
    "roman": """\
import time

ends = time.monotonic() + 20


class Endless:
    def __iter__(self):
        while time.monotonic() < ends:
            yield 2

    def __len__(self):
        return 2**62

    def __getitem__(self, index):
        return self


def roman(text):
    return Endless()
""",
    "add_one": """\
def add_one(x):
    def numbers():
        while True:
            yield 2
    return numbers()
""",
}
