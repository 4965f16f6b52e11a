"""A flood of text while a test calls the function, which is right and gets its marks."""

POINTS = 2
HURTS = True
BOUNDS = "20 MB"
ANSWERS = {"add_one": "def add_one(x):\n    print('A' * 2_000_000)\n    return x + 1\n"}
