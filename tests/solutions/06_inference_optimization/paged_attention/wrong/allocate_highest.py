"""Takes the free block with the highest number."""

LOSES = {"allocate-block-lowest": 2}


def allocate_block(references):
    if 0 not in references:
        raise MemoryError("full")
    block = len(references) - 1 - references[::-1].index(0)
    references[block] = 1
    return block
