"""Counts a holder more of every block."""

LOSES = {"fork-blocks-shares": 2}


def fork_blocks(references, blocks):
    for block in range(len(references)):
        references[block] += 1
    return list(blocks)
