"""Ignores the eps that is given."""

LOSES = {"rms-norm-eps": 1}


def rms_norm(x, weight, *, eps=1e-6):
    wide = x.float()
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + 1e-6) * weight).to(x.dtype)
