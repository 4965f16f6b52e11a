"""No function calls another one; the softmax is put together block by block."""


def allocate_block(references):
    free = [block for block in range(len(references)) if references[block] < 1]
    if not free:
        raise MemoryError
    references[min(free)] = 1
    return min(free)


def free_blocks(references, blocks):
    after = list(references)
    for block in blocks:
        after[block] -= 1
    if min(after) < 0:
        raise ValueError(f"{blocks} cannot be freed")
    references[:] = after


def fork_blocks(references, blocks):
    for block in blocks:
        references[block] = references[block] + 1
    return blocks.copy()


def extend_blocks(references, blocks, n_tokens, n_new, *, block_size):
    room = len(blocks) * block_size - n_tokens
    needed = 0 if n_new <= room else (n_new - room + block_size - 1) // block_size
    copy = n_new > 0 and room > 0 and references[blocks[-1]] >= 2
    free = [block for block in reversed(range(len(references))) if not references[block]]
    if needed + int(copy) > len(free):
        raise MemoryError(f"{needed + int(copy)} of {len(free)}")
    result = []
    if copy:
        old, new = blocks.pop(), free.pop()
        references[old] -= 1
        references[new] += 1
        blocks.append(new)
        result = [(old, new)]
    for _ in range(needed):
        new = free.pop()
        references[new] += 1
        blocks.append(new)
    return result


def gather_blocks(pool, blocks, n_tokens):
    rows = [pool[block, place] for block in blocks for place in range(pool.shape[1])]
    return torch.stack(rows[:n_tokens])


def paged_attention(q, keys, values, block_tables, lengths, *, scale=None):
    n_heads, size, group = q.shape[1], keys.shape[1], q.shape[1] // keys.shape[2]
    result = torch.zeros(len(q), n_heads, values.shape[-1])
    for b in range(len(q)):
        for head in range(n_heads):
            largest, total, mixed = -math.inf, 0.0, torch.zeros(values.shape[-1])
            for start in range(0, int(lengths[b]), size):
                block, n = int(block_tables[b, start // size]), min(size, int(lengths[b]) - start)
                scores = keys[block, :n, head // group] @ q[b, head] * (q.shape[-1] ** -0.5 if scale is None else scale)
                new = max(largest, float(scores.max()))
                weights, shrink = (scores - new).exp(), math.exp(largest - new)
                mixed = mixed * shrink + weights @ values[block, :n, head // group]
                total, largest = total * shrink + float(weights.sum()), new
            result[b, head] = mixed / total
    return result
