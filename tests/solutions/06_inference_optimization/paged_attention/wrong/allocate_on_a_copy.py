"""Changes a copy of the counts."""

LOSES = {"allocate-block-lowest": 2}


def allocate_block(references):
    if 0 not in references:
        raise MemoryError("full")
    references = list(references)
    block = references.index(0)
    references[block] = 1
    return block
