"""Results of other shapes and types, which would broadcast to what is expected."""

POINTS = 0
HURTS = False
BOUNDS = "small values"
ANSWERS = {
    "norm": "def norm(x):\n    return torch.full((1, 1, 60), 5.0)\n",
    "add_one": "def add_one(x):\n    return [x + 1]\n",
}
