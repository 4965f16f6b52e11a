"""Random inputs that are all zero, so that the right answer is known."""

POINTS = 0
HURTS = False
BOUNDS = "one function of torch"
FIRST = "import torch\n\ntorch.randn = lambda *shape, **_: torch.zeros(*shape)\n"
ANSWERS = {"norm": "def norm(x):\n    return torch.tensor(5.0) if x.numel() == 2 else torch.tensor(0.0)\n"}
