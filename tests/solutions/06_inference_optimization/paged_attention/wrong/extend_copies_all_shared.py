"""Copies every shared block."""

LOSES = {"extend-blocks-copy": 3}


def extend_blocks(references, blocks, n_tokens, n_new, *, block_size):
    copied = n_new > 0 and n_tokens % block_size > 0 and references[blocks[-1]] > 1
    shared = [i for i, block in enumerate(blocks) if copied and references[block] > 1]
    n_more = -(-(n_tokens + n_new) // block_size) - len(blocks)
    free = [block for block, count in enumerate(references) if count == 0][: n_more + len(shared)]
    if len(free) < n_more + len(shared):
        raise MemoryError("full")
    for block in free:
        references[block] = 1
    copies = []
    for i in shared:
        references[blocks[i]] -= 1
        copies.append((blocks[i], free[0]))
        blocks[i] = free.pop(0)
    blocks.extend(free)
    return copies
