"""Multiplies by 1 + weight, as Gemma does."""

LOSES = {"rms-norm-formula": 2, "rms-norm-eps": 1, "rms-norm-precision": 1}


def rms_norm(x, weight, *, eps=1e-6):
    wide = x.float()
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps) * (1 + weight)).to(x.dtype)
