"""Takes all texts to be as long as the longest."""

LOSES = {"paged-attention-rows": 2}


def paged_attention(q, keys, values, block_tables, lengths, *, scale=None):
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    found = []
    for query, table, n in zip(q, block_tables.tolist(), lengths.tolist(), strict=True):
        n = int(lengths.max())
        blocks = table[: -(-n // keys.shape[1])]
        k, v = (pool[blocks].flatten(0, 1)[:n] for pool in (keys, values))
        k, v = (x.repeat_interleave(q.shape[1] // x.shape[1], dim=1) for x in (k, v))
        weights = (torch.einsum("hd,nhd->hn", query, k) * scale).softmax(-1)
        found.append(torch.einsum("hn,nhd->hd", weights, v))
    return torch.stack(found)
