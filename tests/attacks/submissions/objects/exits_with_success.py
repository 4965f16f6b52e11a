"""Leaves the test by SystemExit(0), as if all had gone well."""

POINTS = 0
HURTS = False
BOUNDS = "one exception"
ANSWERS = {
    "add_one": "def add_one(x):\n    raise SystemExit(0)\n",
    "norm": "def norm(x):\n    exit()\n",
    "roman": "def roman(text):\n    quit()\n",
}
