"""Takes a token of each block in turn."""

LOSES = {"gather-blocks-order": 2, "gather-blocks-end": 1}


def gather_blocks(pool, blocks, n_tokens):
    return pool[blocks].transpose(0, 1).flatten(0, 1)[:n_tokens]
