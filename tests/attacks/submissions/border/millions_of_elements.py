"""A list of five million small objects."""

POINTS = 0
HURTS = False
BOUNDS = "5 million references to one list"
ANSWERS = {
    "add_one": "def add_one(x):\n    return [[]] * 5_000_000\n",
    "roman": "def roman(text):\n    return dict.fromkeys(range(3_000_000))\n",
}
