"""Multiplies by the weights as if they were stored (inputs, outputs)."""

LOSES = {"swiglu-formula": 3}


def swiglu(x, w1, w_gate, w2):
    return ((x @ w1) * F.silu(x @ w_gate)) @ w2
