"""Squares in the dtype of x, in which large numbers become infinity."""

LOSES = {"rms-norm-precision": 1}


def rms_norm(x, weight, *, eps=1e-6):
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps) * weight
