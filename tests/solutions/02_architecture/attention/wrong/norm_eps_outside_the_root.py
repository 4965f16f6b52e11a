"""Adds eps to the root in place of the mean square."""

LOSES = {"rms-norm-eps": 1}


def rms_norm(x, weight, *, eps=1e-6):
    wide = x.float()
    return (wide / (wide.square().mean(-1, keepdim=True).sqrt() + eps) * weight).to(x.dtype)
