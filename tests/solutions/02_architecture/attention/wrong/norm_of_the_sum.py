"""Divides by the root of the sum of squares, not of their mean."""

LOSES = {"rms-norm-formula": 2, "rms-norm-eps": 1, "rms-norm-precision": 1}


def rms_norm(x, weight, *, eps=1e-6):
    wide = x.float()
    return (wide * torch.rsqrt(wide.square().sum(-1, keepdim=True) + eps) * weight).to(x.dtype)
