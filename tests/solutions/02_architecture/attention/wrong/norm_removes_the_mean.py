"""Removes the mean, as LayerNorm does."""

LOSES = {"rms-norm-formula": 2, "rms-norm-eps": 1, "rms-norm-precision": 1}


def rms_norm(x, weight, *, eps=1e-6):
    wide = x.float()
    wide = wide - wide.mean(-1, keepdim=True)
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps) * weight).to(x.dtype)
