"""A tensor on the device "meta", whose values assert_close does not look at, since it has none."""

POINTS = 0
HURTS = False
BOUNDS = "one tensor without storage"
ANSWERS = {"norm": 'def norm(x):\n    return torch.empty((), device="meta")\n'}
