"""Takes all rows for one head."""

LOSES = {"convert-pairing-half": 3, "convert-pairing-back": 2}


def convert_pairing(weight, head_dim, *, to):
    if to == "half":
        return torch.cat([weight[0::2], weight[1::2]])
    first, second = weight.chunk(2)
    return torch.stack([first, second], dim=1).reshape(weight.shape)
