"""Hides the newest token from itself."""

LOSES = {"paged-attention-weights": 3, "paged-attention-heads": 1, "paged-attention-rows": 2}


def paged_attention(q, keys, values, block_tables, lengths, *, scale=None):
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    found = []
    for query, table, n in zip(q, block_tables.tolist(), lengths.tolist(), strict=True):
        blocks = table[: -(-n // keys.shape[1])]
        k, v = (pool[blocks].flatten(0, 1)[: max(n - 1, 1)] for pool in (keys, values))
        k, v = (x.repeat_interleave(q.shape[1] // x.shape[1], dim=1) for x in (k, v))
        weights = (torch.einsum("hd,nhd->hn", query, k) * scale).softmax(-1)
        found.append(torch.einsum("hn,nhd->hd", weights, v))
    return torch.stack(found)
