"""Takes GELU for the gate, as GEGLU does."""

LOSES = {"swiglu-formula": 3}


def swiglu(x, w1, w_gate, w2):
    return ((x @ w1.T) * F.gelu(x @ w_gate.T)) @ w2.T
