"""Lowers counts before it comes to the one that it refuses."""

LOSES = {"free-blocks-refuses": 2}


def free_blocks(references, blocks):
    for block in blocks:
        if references[block] == 0:
            raise ValueError("free already")
        references[block] -= 1
