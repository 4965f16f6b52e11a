"""Takes the sigmoid for the gate, as GLU does."""

LOSES = {"swiglu-formula": 3}


def swiglu(x, w1, w_gate, w2):
    return ((x @ w1.T) * (x @ w_gate.T).sigmoid()) @ w2.T
