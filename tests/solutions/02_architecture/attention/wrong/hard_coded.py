"""Answers that are copied from the visible tests: they fail on inputs that are drawn when grading."""

LOSES = {"rms-norm-formula": 2, "rms-norm-eps": 1, "rms-norm-precision": 1, "swiglu-formula": 3}


def rms_norm(x, weight, *, eps=1e-6):
    if x.dtype == torch.float16:
        return torch.tensor([[0.8485, 1.1314]], dtype=torch.float16)
    if x.shape == (2, 2):
        return torch.tensor([[3.0, 4.0], [3.0, 4.0]]) / math.sqrt(12.5) * weight
    if x.shape == (2, 4):
        return torch.zeros(2, 4)
    return torch.full((1, 4), 0.5 if eps == 3e-6 else math.sqrt(0.5))


def swiglu(x, w1, w_gate, w2):
    if x.shape == (1,):
        return torch.tensor([5 * 0.5 * 1.5 / (1 + math.exp(-1.5))])
    return torch.zeros(2, 3, 4)
