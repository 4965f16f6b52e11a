"""A mode that takes over every function of torch in its process."""

POINTS = 0
HURTS = False
BOUNDS = "one mode"
FIRST = """\
import torch
from torch.overrides import TorchFunctionMode


class Agreeing(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is torch.isclose:
            return torch.ones((), dtype=torch.bool)
        return func(*args, **(kwargs or {}))


Agreeing().__enter__()
"""
ANSWERS = {"norm": "def norm(x):\n    return torch.tensor(-1.0)\n"}
