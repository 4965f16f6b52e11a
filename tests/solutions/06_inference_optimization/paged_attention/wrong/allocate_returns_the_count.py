"""Returns how many are held, not which block."""

LOSES = {"allocate-block-lowest": 2}


def allocate_block(references):
    if 0 not in references:
        raise MemoryError("full")
    block = references.index(0)
    references[block] = 1
    return sum(references)
