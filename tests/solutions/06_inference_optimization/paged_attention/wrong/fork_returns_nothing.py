"""Returns nothing."""

LOSES = {"fork-blocks-shares": 2}


def fork_blocks(references, blocks):
    for block in blocks:
        references[block] += 1
