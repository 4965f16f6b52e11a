"""Leaves at 0 what is free already, and says nothing."""

LOSES = {"free-blocks-refuses": 2}


def free_blocks(references, blocks):
    for block in blocks:
        references[block] = max(0, references[block] - 1)
