"""Counts a holder more of the last block alone."""

LOSES = {"fork-blocks-shares": 2}


def fork_blocks(references, blocks):
    if blocks:
        references[blocks[-1]] += 1
    return list(blocks)
