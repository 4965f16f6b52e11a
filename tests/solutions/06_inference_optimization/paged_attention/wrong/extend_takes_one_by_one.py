"""Keeps what it took before it ran out."""

LOSES = {"extend-blocks-refuses": 3}


def extend_blocks(references, blocks, n_tokens, n_new, *, block_size):
    copied = n_new > 0 and n_tokens % block_size > 0 and references[blocks[-1]] > 1
    n_more = -(-(n_tokens + n_new) // block_size) - len(blocks)
    free = []
    for _ in range(n_more + copied):
        if 0 not in references:
            raise MemoryError("full")
        free.append(references.index(0))
        references[free[-1]] = 1
    copies = []
    if copied:
        references[blocks[-1]] -= 1
        copies.append((blocks[-1], free[0]))
        blocks[-1] = free.pop(0)
    blocks.extend(free)
    return copies
