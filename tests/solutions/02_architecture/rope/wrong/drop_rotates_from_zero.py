"""Turns keys that are rotated already at 0, 1, 2, ... once more."""

LOSES = {"drop-oldest-moves": 3}


def drop_oldest(cached_keys, n, rotate):
    kept = cached_keys[:, :, n:]
    return rotate(kept, torch.arange(kept.shape[2]))
