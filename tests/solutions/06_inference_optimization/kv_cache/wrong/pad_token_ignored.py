"""Always fills up with 0."""

LOSES = {"left-pad-tokens": 1}


def left_pad(rows, *, pad_token=0):
    width = max(map(len, rows))
    padding = torch.tensor([width - len(row) for row in rows])
    tokens = torch.tensor([[0] * (width - len(row)) + list(row) for row in rows])
    return tokens, torch.arange(width) - padding[:, None]
