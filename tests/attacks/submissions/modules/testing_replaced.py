"""A module of its own in the place of torch.testing, also for those who import it again."""

POINTS = 0
HURTS = False
BOUNDS = "one entry of sys.modules"
FIRST = """\
import sys
from unittest.mock import MagicMock

import torch

torch.testing = sys.modules["torch.testing"] = MagicMock()
"""
ANSWERS = {"norm": "def norm(x):\n    return None\n"}
