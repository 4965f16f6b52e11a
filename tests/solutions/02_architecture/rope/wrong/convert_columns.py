"""Reorders the columns in place of the rows."""

LOSES = {"convert-pairing-half": 3, "convert-pairing-back": 2}


def convert_pairing(weight, head_dim, *, to):
    inner = (head_dim // 2, 2) if to == "half" else (2, head_dim // 2)
    order = torch.arange(weight.shape[-1]).reshape(-1, *inner).transpose(1, 2).flatten()
    return weight[..., order]
