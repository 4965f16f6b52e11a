"""Fills up at the end."""

LOSES = {"left-pad-tokens": 1}


def left_pad(rows, *, pad_token=0):
    width = max(map(len, rows))
    padding = torch.tensor([width - len(row) for row in rows])
    tokens = torch.tensor([list(row) + [pad_token] * (width - len(row)) for row in rows])
    return tokens, torch.arange(width) - padding[:, None]
