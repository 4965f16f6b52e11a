"""Takes the least held block, so that it always finds one."""

LOSES = {"allocate-block-full": 1}


def allocate_block(references):
    block = references.index(min(references))
    references[block] = 1
    return block
