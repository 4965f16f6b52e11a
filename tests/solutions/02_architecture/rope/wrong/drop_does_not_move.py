"""Leaves the keys that stay where they were."""

LOSES = {"drop-oldest-moves": 3}


def drop_oldest(cached_keys, n, rotate):
    kept = cached_keys[:, :, n:]
    return kept
