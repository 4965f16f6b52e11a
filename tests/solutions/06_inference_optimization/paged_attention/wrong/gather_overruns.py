"""Runs over the end, into the empty places."""

LOSES = {"gather-blocks-end": 1}


def gather_blocks(pool, blocks, n_tokens):
    return pool[blocks].flatten(0, 1)
