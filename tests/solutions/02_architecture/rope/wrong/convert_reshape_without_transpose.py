"""Reshapes to pairs and back without moving anything."""

LOSES = {"convert-pairing-half": 3, "convert-pairing-back": 2}


def convert_pairing(weight, head_dim, *, to):
    inner = (head_dim // 2, 2) if to == "half" else (2, head_dim // 2)
    return weight.reshape(-1, *inner, *weight.shape[1:]).reshape(weight.shape)
