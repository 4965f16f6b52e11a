"""Frees a block though others hold it."""

LOSES = {"free-blocks-counts": 3}


def free_blocks(references, blocks):
    for block in blocks:
        if blocks.count(block) > references[block]:
            raise ValueError("free already")
    for block in blocks:
        references[block] = 0
