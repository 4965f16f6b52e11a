"""Closes every descriptor, the socket to the judge among them."""

POINTS = 0
HURTS = True
BOUNDS = "253 descriptors of its own process"
ANSWERS = {"add_one": "import os\n\n\ndef add_one(x):\n    os.closerange(3, 256)\n    return 2\n"}
