"""No function calls another."""


def kv_cache_bytes(*, n_layers, n_kv_heads, head_dim, seq_len, batch_size=1, bytes_per_element=2):
    return int(2 * n_layers * n_kv_heads * head_dim * seq_len * batch_size * bytes_per_element)


class KVCache:
    def __init__(self, *, batch_size, n_kv_heads, max_seq_len, head_dim):
        self.keys = torch.zeros(batch_size, n_kv_heads, max_seq_len, head_dim)
        self.values = torch.zeros_like(self.keys)
        self.n_tokens = 0

    def update(self, k, v, positions):
        start, end = int(positions[0]), int(positions[-1]) + 1
        if start != self.n_tokens or end > self.keys.shape[2]:
            raise ValueError(f"positions {start} to {end - 1} do not fit")
        self.keys[:, :, positions], self.values[:, :, positions] = k, v
        self.n_tokens = end
        return self.keys[:, :, :end], self.values[:, :, :end]

    def reset(self):
        self.n_tokens = 0


def left_pad(rows, *, pad_token=0):
    width = max(map(len, rows))
    padding = torch.tensor([width - len(row) for row in rows])
    tokens = torch.tensor([[pad_token] * (width - len(row)) + list(row) for row in rows])
    return tokens, torch.arange(width) - padding[:, None]


def cached_attention(q, k, v, positions, key_positions):
    repeats = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(repeats, dim=1), v.repeat_interleave(repeats, dim=1)
    seen = (key_positions[:, None, :] <= positions[:, :, None]) & (key_positions[:, None, :] >= 0)
    scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    weights = scores.masked_fill(~seen[:, None], -torch.inf).softmax(-1)
    return weights.nan_to_num(0.0) @ v


def attention_step(q, k, v, past_keys, past_values, start):
    positions = torch.arange(start, start + q.shape[2])
    keys = torch.cat([past_keys, apply_rope(k, positions)], dim=2)
    values = torch.cat([past_values, v], dim=2)
    mask = torch.arange(keys.shape[2])[None, :] <= positions[:, None]
    grouped = apply_rope(q, positions).unflatten(1, (k.shape[1], -1))
    out = torch.nn.functional.scaled_dot_product_attention(
        grouped, keys[:, :, None], values[:, :, None], attn_mask=mask
    )
    return out.flatten(1, 2), keys, values
