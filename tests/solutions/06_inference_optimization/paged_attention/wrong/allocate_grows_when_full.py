"""Adds a block where none is free."""

LOSES = {"allocate-block-full": 1}


def allocate_block(references):
    if 0 not in references:
        references.append(0)
    block = references.index(0)
    references[block] = 1
    return block
