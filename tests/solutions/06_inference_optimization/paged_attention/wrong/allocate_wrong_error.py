"""Raises the error that a list raises."""

LOSES = {"allocate-block-full": 1}


def allocate_block(references):
    block = references.index(0)
    references[block] = 1
    return block
