"""Does not put the blocks one after another."""

LOSES = {"gather-blocks-order": 2, "gather-blocks-end": 1}


def gather_blocks(pool, blocks, n_tokens):
    return pool[blocks][:n_tokens]
