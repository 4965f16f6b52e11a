"""Ends the kernel while a test waits for an answer; what was right before keeps its marks."""

POINTS = 2
HURTS = False
BOUNDS = "one process, its own"
ANSWERS = {
    "add_one": "def add_one(x):\n    return x + 1\n",
    "norm": "import os\n\n\ndef norm(x):\n    os._exit(0)\n",
}
