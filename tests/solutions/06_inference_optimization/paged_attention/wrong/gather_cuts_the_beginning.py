"""Cuts the beginning in place of the end."""

LOSES = {"gather-blocks-end": 1}


def gather_blocks(pool, blocks, n_tokens):
    return pool[blocks].flatten(0, 1)[-n_tokens:]
