"""Gives padding the position 0."""

LOSES = {"left-pad-positions": 2}


def left_pad(rows, *, pad_token=0):
    width = max(map(len, rows))
    padding = torch.tensor([width - len(row) for row in rows])
    tokens = torch.tensor([[pad_token] * (width - len(row)) + list(row) for row in rows])
    return tokens, (torch.arange(width) - padding[:, None]).clamp(min=0)
