"""Drops the newest keys in place of the oldest."""

LOSES = {"drop-oldest-moves": 3}


def drop_oldest(cached_keys, n, rotate):
    return cached_keys[:, :, : cached_keys.shape[2] - n]
