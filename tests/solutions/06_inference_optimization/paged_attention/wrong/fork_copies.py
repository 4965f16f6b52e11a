"""Takes blocks of its own."""

LOSES = {"fork-blocks-shares": 2}


def fork_blocks(references, blocks):
    own = [block for block, count in enumerate(references) if not count][: len(blocks)]
    for block in own:
        references[block] += 1
    return own
