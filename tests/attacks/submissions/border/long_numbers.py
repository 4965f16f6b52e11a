"""Whole numbers of ten million digits, and a text as long."""

POINTS = 0
HURTS = False
BOUNDS = "10 MB"
ANSWERS = {
    "add_one": "def add_one(x):\n    return 1 << 33_000_000\n",
    "roman": "def roman(text):\n    return 'I' * 10_000_000\n",
}
