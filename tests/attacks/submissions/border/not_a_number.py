"""NaN, infinities and negative zeros."""

POINTS = 0
HURTS = False
BOUNDS = "small values"
ANSWERS = {
    "norm": "def norm(x):\n    return torch.tensor(float('nan'))\n",
    "add_one": "def add_one(x):\n    return float('inf')\n",
    "roman": "def roman(text):\n    return float('nan')\n",
}
