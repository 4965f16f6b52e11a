"""Refuses to free what others hold."""

LOSES = {"free-blocks-counts": 3, "free-blocks-refuses": 2}


def free_blocks(references, blocks):
    for block in blocks:
        if references[block] != 1:
            raise ValueError("free already")
    for block in blocks:
        references[block] -= 1
