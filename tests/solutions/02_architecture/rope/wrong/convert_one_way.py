"""Applies one and the same order both ways."""

LOSES = {"convert-pairing-back": 2}


def convert_pairing(weight, head_dim, *, to):
    heads = weight.reshape(-1, head_dim // 2, 2, *weight.shape[1:])
    return heads.transpose(1, 2).reshape(weight.shape)
