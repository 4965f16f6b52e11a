"""Leaves out a position after the cached tokens."""

LOSES = {"cached-scores-positions": 3, "cached-scores-one-by-one": 2}


def cached_scores(q, k, cached_keys, rotate):
    start = cached_keys.shape[2] + 1
    positions = torch.arange(start, start + q.shape[2])
    keys = torch.cat([cached_keys, rotate(k, positions)], dim=2)
    return rotate(q, positions) @ keys.transpose(-1, -2) / math.sqrt(q.shape[-1])
