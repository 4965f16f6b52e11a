"""Rotates the cached keys a second time."""

LOSES = {"cached-scores-positions": 3, "cached-scores-one-by-one": 2}


def cached_scores(q, k, cached_keys, rotate):
    start = cached_keys.shape[2]
    positions = torch.arange(start, start + q.shape[2])
    keys = rotate(torch.cat([cached_keys, k], dim=2), torch.arange(start + k.shape[2]))
    return rotate(q, positions) @ keys.transpose(-1, -2) / math.sqrt(q.shape[-1])
