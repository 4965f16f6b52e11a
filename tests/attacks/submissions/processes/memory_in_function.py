"""Memory without end in one cell, given back when it fails; what is right elsewhere keeps its marks."""

POINTS = 2
HURTS = True
BOUNDS = "4 GB in steps of 64 MB"
FIRST = """\
def fill():
    held = []
    for _ in range(64):
        held.append(bytearray(b"x") * (64 << 20))


fill()
"""
ANSWERS = {"add_one": "def add_one(x):\n    return x + 1\n", "roman": "def roman(text):\n    fill()\n"}
