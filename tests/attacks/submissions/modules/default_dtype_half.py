"""Makes float16 the default, so that tolerances are a thousand times as wide; the answer is a little wrong."""

POINTS = 0
HURTS = False
BOUNDS = "one setting of torch"
FIRST = "import torch\n\ntorch.set_default_dtype(torch.float16)\n"
ANSWERS = {"norm": "def norm(x):\n    return x.square().sum().sqrt() * 1.0006\n"}
