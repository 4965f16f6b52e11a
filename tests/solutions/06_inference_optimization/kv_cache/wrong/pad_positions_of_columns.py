"""Counts columns."""

LOSES = {"left-pad-positions": 2}


def left_pad(rows, *, pad_token=0):
    width = max(map(len, rows))
    tokens = torch.tensor([[pad_token] * (width - len(row)) + list(row) for row in rows])
    return tokens, torch.arange(width).repeat(len(rows), 1)
