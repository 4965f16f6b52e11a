"""Does not notice what is free already."""

LOSES = {"free-blocks-refuses": 2}


def free_blocks(references, blocks):
    for block in blocks:
        references[block] -= 1
