"""Counts two holders."""

LOSES = {"allocate-block-lowest": 2}


def allocate_block(references):
    if 0 not in references:
        raise MemoryError("full")
    block = references.index(0)
    references[block] = 2
    return block
