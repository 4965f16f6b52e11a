"""A tensor of 80 gigabytes that takes four bytes where it is made."""

POINTS = 0
HURTS = False
BOUNDS = "one number, shown twenty thousand million times"
ANSWERS = {"norm": "def norm(x):\n    return torch.ones(1).expand(20_000_000_000)\n"}
