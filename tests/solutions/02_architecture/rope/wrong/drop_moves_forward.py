"""Turns the keys forward by n in place of back."""

LOSES = {"drop-oldest-moves": 3}


def drop_oldest(cached_keys, n, rotate):
    kept = cached_keys[:, :, n:]
    return rotate(kept, torch.full((kept.shape[2],), n))
