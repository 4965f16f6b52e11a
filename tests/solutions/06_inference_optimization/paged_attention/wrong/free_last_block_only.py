"""Frees the last block alone."""

LOSES = {"free-blocks-counts": 3, "free-blocks-refuses": 2}


def free_blocks(references, blocks):
    for block in blocks:
        if blocks.count(block) > references[block]:
            raise ValueError("free already")
    if blocks:
        references[blocks[-1]] -= 1
