"""Builtins that the tests use: sum gives all points, len what equals every number."""

POINTS = 0
HURTS = False
BOUNDS = "three builtins"
FIRST = """\
import builtins
from unittest.mock import ANY

builtins.sum = lambda *_: 3
builtins.len = lambda *_: ANY
builtins.isinstance = lambda *_: True
"""
ANSWERS = {
    "cache": "class Cache:\n    def append(self, item):\n        pass\n",
    "roman": "def roman(text):\n    return 0\n",
}
