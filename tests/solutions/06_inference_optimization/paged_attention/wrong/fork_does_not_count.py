"""Does not count the new holder."""

LOSES = {"fork-blocks-shares": 2}


def fork_blocks(references, blocks):
    return list(blocks)
