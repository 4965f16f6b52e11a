"""Does not notice one block twice in the list."""

LOSES = {"free-blocks-refuses": 2}


def free_blocks(references, blocks):
    for block in blocks:
        if references[block] == 0:
            raise ValueError("free already")
    for block in blocks:
        references[block] -= 1
