"""Takes a block for full blocks only, so that the last tokens have none."""

LOSES = {"extend-blocks-room": 3, "extend-blocks-copy": 3, "extend-blocks-refuses": 3}


def extend_blocks(references, blocks, n_tokens, n_new, *, block_size):
    copied = n_new > 0 and n_tokens % block_size > 0 and references[blocks[-1]] > 1
    n_more = (n_tokens + n_new) // block_size - len(blocks)
    n_more = max(n_more, 0)
    free = [block for block, count in enumerate(references) if count == 0][: n_more + copied]
    if len(free) < n_more + copied:
        raise MemoryError("full")
    for block in free:
        references[block] = 1
    copies = []
    if copied:
        references[blocks[-1]] -= 1
        copies.append((blocks[-1], free[0]))
        blocks[-1] = free.pop(0)
    blocks.extend(free)
    return copies
