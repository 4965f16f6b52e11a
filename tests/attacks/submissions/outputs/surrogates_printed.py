"""Prints halves of characters, as one who decodes bytes soon does; the answer is right, and gets its marks."""

POINTS = 2
HURTS = False
BOUNDS = "a few characters"
FIRST = """\
print("\\ud800 \\udcff", b"\\xff".decode(errors="surrogateescape"))
"\\udfff"
"""
ANSWERS = {"add_one": "def add_one(x):\n    print('\\udc80')\n    return x + 1\n"}
