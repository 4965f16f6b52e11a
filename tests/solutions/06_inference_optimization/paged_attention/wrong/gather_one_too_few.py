"""Loses the newest token."""

LOSES = {"gather-blocks-order": 2, "gather-blocks-end": 1}


def gather_blocks(pool, blocks, n_tokens):
    return pool[blocks].flatten(0, 1)[: n_tokens - 1]
