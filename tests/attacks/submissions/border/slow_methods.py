"""Objects that sleep when they are shown, compared, looked at or thrown away."""

POINTS = 0
HURTS = False
BOUNDS = "each sleeps 5 seconds"
ANSWERS = {
    "add_one": """\
import time


class Slow:
    def wait(self, *_):
        time.sleep(5)
        return "2"

    __repr__ = __str__ = __eq__ = __del__ = __getattr__ = wait
    __hash__ = None


def add_one(x):
    return Slow()
""",
    "cache": """\
class Cache:
    def __len__(self):
        return 0

    def append(self, item):
        raise Loud


class Loud(Exception):
    def __str__(self):
        time.sleep(5)
        return "slow"
""",
}
