"""Adds two codes up without a shift."""

LOSES = {"pack-int4-order": 2, "pack-int4-rows": 1}


def pack_int4(codes):
    return codes[..., ::2] + codes[..., 1::2]
