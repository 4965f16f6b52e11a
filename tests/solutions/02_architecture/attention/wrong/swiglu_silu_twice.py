"""Sends both projections through SiLU."""

LOSES = {"swiglu-formula": 3}


def swiglu(x, w1, w_gate, w2):
    return (F.silu(x @ w1.T) * F.silu(x @ w_gate.T)) @ w2.T
