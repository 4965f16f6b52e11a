"""Sends the product through SiLU."""

LOSES = {"swiglu-formula": 3}


def swiglu(x, w1, w_gate, w2):
    return F.silu((x @ w1.T) * (x @ w_gate.T)) @ w2.T
