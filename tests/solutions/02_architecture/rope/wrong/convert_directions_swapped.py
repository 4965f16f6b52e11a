"""Takes 'half' for the order that is given, not for the one to make."""

LOSES = {"convert-pairing-half": 3, "convert-pairing-back": 2}


def convert_pairing(weight, head_dim, *, to):
    inner = (2, head_dim // 2) if to == "half" else (head_dim // 2, 2)
    return weight.reshape(-1, *inner, *weight.shape[1:]).transpose(1, 2).reshape(weight.shape)
