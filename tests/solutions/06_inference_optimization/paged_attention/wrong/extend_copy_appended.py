"""Puts the copy behind the old block, not in its place."""

LOSES = {"extend-blocks-copy": 3}


def extend_blocks(references, blocks, n_tokens, n_new, *, block_size):
    copied = n_new > 0 and n_tokens % block_size > 0 and references[blocks[-1]] > 1
    n_more = -(-(n_tokens + n_new) // block_size) - len(blocks)
    free = [block for block, count in enumerate(references) if count == 0][: n_more + copied]
    if len(free) < n_more + copied:
        raise MemoryError("full")
    for block in free:
        references[block] = 1
    copies = []
    if copied:
        references[blocks[-1]] -= 1
        copies.append((blocks[-1], free[0]))
    blocks.extend(free)
    return copies
