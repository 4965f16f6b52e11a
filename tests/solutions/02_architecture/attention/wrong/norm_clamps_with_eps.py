"""Takes eps for a least value of the mean square."""

LOSES = {"rms-norm-eps": 1}


def rms_norm(x, weight, *, eps=1e-6):
    wide = x.float()
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True).clamp(min=eps)) * weight).to(x.dtype)
