"""Lists in lists, a hundred thousand deep, and lists that hold themselves."""

POINTS = 0
HURTS = False
BOUNDS = "100,000 lists"
ANSWERS = {
    "add_one": """\
def add_one(x):
    value = 2
    for _ in range(100_000):
        value = [value]
    return value
""",
    "roman": "def roman(text):\n    value = []\n    value.append(value)\n    return value\n",
}
