"""Makes a new list of counts, and changes none."""

LOSES = {"free-blocks-counts": 3, "free-blocks-refuses": 2}


def free_blocks(references, blocks):
    for block in blocks:
        if blocks.count(block) > references[block]:
            raise ValueError("free already")
    references = [count - blocks.count(block) for block, count in enumerate(references)]
