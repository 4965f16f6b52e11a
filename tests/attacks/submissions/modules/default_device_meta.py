"""Makes "meta" the default device, so that the test's own tensors have no values either."""

POINTS = 0
HURTS = False
BOUNDS = "one setting of torch"
FIRST = "import torch\n\ntorch.set_default_device('meta')\n"
ANSWERS = {"norm": "def norm(x):\n    return torch.empty(())\n"}
