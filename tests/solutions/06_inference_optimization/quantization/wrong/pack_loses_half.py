"""Keeps the first code of each pair alone."""

LOSES = {"pack-int4-order": 2, "pack-int4-rows": 1}


def pack_int4(codes):
    return codes[..., ::2]
