"""Lowers a count only where nobody else holds the block."""

LOSES = {"free-blocks-counts": 3, "free-blocks-refuses": 2}


def free_blocks(references, blocks):
    for block in blocks:
        if blocks.count(block) > references[block]:
            raise ValueError("free already")
    for block in blocks:
        if references[block] == 1:
            references[block] = 0
