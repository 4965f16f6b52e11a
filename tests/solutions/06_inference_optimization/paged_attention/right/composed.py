"""Later functions call earlier ones; attention is computed for all texts at once, under a mask."""

from collections import Counter


def allocate_block(references):
    for block, count in enumerate(references):
        if count == 0:
            references[block] += 1
            return block
    raise MemoryError("no block is free")


def free_blocks(references, blocks):
    times = Counter(blocks)
    if any(references[block] - n < 0 for block, n in times.items()):
        raise ValueError("a block is free already")
    for block, n in times.items():
        references[block] -= n


def fork_blocks(references, blocks):
    references[:] = [count + blocks.count(block) for block, count in enumerate(references)]
    return [*blocks]


def extend_blocks(references, blocks, n_tokens, n_new, *, block_size):
    kept, counts, copies = blocks[:], references[:], []
    try:
        for i in range(n_tokens, n_tokens + n_new):
            if i % block_size == 0:
                blocks.append(allocate_block(references))
            elif references[blocks[-1]] > 1:
                old = blocks.pop()
                blocks.append(allocate_block(references))
                free_blocks(references, [old])
                copies.append((old, blocks[-1]))
    except MemoryError:
        blocks[:], references[:] = kept, counts
        raise
    return copies


def gather_blocks(pool, blocks, n_tokens):
    size = pool.shape[1]
    places = torch.arange(n_tokens)
    table = torch.tensor(blocks, dtype=torch.long)
    return pool[table[places // size], places % size]


def paged_attention(q, keys, values, block_tables, lengths, *, scale=None):
    size, n_kv_heads = keys.shape[1:3]
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    seen = torch.arange(block_tables.shape[1] * size) < lengths[:, None]
    k, v = (pool[block_tables].flatten(1, 2).masked_fill(~seen[..., None, None], 0.0) for pool in (keys, values))
    grouped = q.unflatten(1, (n_kv_heads, -1))
    scores = torch.einsum("bgqd,bngd->bgqn", grouped, k) * scale
    weights = scores.masked_fill(~seen[:, None, None], -math.inf).softmax(-1)
    return torch.einsum("bgqn,bngd->bgqd", weights, v).flatten(1, 2)
