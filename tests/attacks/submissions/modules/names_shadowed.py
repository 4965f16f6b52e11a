"""The student's own cells redefine names that tests use: sum, len and torch itself."""

POINTS = 0
HURTS = False
BOUNDS = "three names"
ANSWERS = {
    "norm": """\
from unittest.mock import MagicMock

torch = MagicMock()


def norm(x):
    return None
""",
    "cache": """\
from unittest.mock import ANY


def len(cache):
    return ANY


class Cache:
    def append(self, item):
        pass
""",
    "roman": "def sum(results):\n    return 3\n\n\ndef roman(text):\n    return 0\n",
}
