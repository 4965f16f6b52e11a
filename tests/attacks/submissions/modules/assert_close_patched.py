"""torch.testing.assert_close that asserts nothing."""

POINTS = 0
HURTS = False
BOUNDS = "one attribute of a module"
FIRST = "import torch\n\ntorch.testing.assert_close = lambda *_, **__: None\n"
ANSWERS = {"norm": "def norm(x):\n    return torch.tensor(-1.0)\n"}
