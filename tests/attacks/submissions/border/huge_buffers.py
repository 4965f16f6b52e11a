"""Two hundred megabytes for each answer, to fill the memory of whoever takes them."""

POINTS = 0
HURTS = True
BOUNDS = "200 MB at a time, at most ten times"
ANSWERS = {
    "add_one": "def add_one(x):\n    return bytes(200_000_000)\n",
    "norm": "def norm(x):\n    return torch.zeros(50_000_000)\n",
    "roman": "def roman(text):\n    return 'x' * 200_000_000\n",
}
