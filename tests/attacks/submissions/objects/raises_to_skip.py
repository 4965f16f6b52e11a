"""Exceptions that other test runners take for a skipped or a passed test."""

POINTS = 0
HURTS = False
BOUNDS = "one exception a call"
ANSWERS = {
    "add_one": "import unittest\n\n\ndef add_one(x):\n    raise unittest.SkipTest('not today')\n",
    "norm": "def norm(x):\n    raise KeyboardInterrupt\n",
    "cache": "class Cache:\n    def __len__(self):\n        raise StopIteration\n",
    "roman": "def roman(text):\n    raise GeneratorExit\n",
}
