"""Flattens the features, too."""

LOSES = {"gather-blocks-order": 2, "gather-blocks-end": 1}


def gather_blocks(pool, blocks, n_tokens):
    return pool[blocks].flatten()[: n_tokens * pool[0, 0].numel()]
