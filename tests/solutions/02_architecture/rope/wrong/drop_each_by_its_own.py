"""Turns each key all the way back to position 0."""

LOSES = {"drop-oldest-moves": 3}


def drop_oldest(cached_keys, n, rotate):
    kept = cached_keys[:, :, n:]
    return rotate(kept, -torch.arange(n, n + kept.shape[2]))
