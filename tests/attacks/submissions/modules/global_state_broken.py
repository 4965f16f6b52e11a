"""Leaves numpy and torch in a state in which much fails; the answers are right, and get their marks."""

POINTS = 11
HURTS = False
BOUNDS = "settings of torch, numpy and random"
FIRST = """\
import random

import numpy as np
import torch

torch._C._set_deterministic_algorithms(True)  # the public function imports torch.compile first, for seconds
torch.set_grad_enabled(False)
torch.manual_seed = random.seed = np.random.seed = lambda *_: None
np.seterr(all="raise")
torch.set_num_threads(1)
torch.set_printoptions(threshold=0)
torch.random.set_rng_state(torch.zeros_like(torch.random.get_rng_state()))
"""
ANSWERS = {
    "add_one": "def add_one(x):\n    return x + 1\n",
    "norm": "def norm(x):\n    return x.norm()\n",
    "cache": "class Cache(list):\n    pass\n",
    "roman": """\
def roman(text):
    pairs = {"CM": 900, "CD": 400, "XC": 90, "XL": 40, "IX": 9, "IV": 4}
    pairs |= {"M": 1000, "D": 500, "C": 100, "L": 50, "X": 10, "V": 5, "I": 1}
    total = 0
    while text:
        key = text[:2] if text[:2] in pairs else text[:1]
        total, text = total + pairs[key], text[len(key) :]
    return total
""",
    "twice": "def twice(function, value):\n    return function(function(value))\n",
}
