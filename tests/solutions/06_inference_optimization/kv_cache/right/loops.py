"""Loops over sequences and heads, and concatenates lists."""

import math


def kv_cache_bytes(*, n_layers, n_kv_heads, head_dim, seq_len, batch_size=1, bytes_per_element=2):
    numbers = 0
    for _ in ("keys", "values"):
        numbers += n_layers * n_kv_heads * head_dim * seq_len * batch_size
    return math.ceil(numbers * bytes_per_element)


class KVCache:
    def __init__(self, *, batch_size, n_kv_heads, max_seq_len, head_dim):
        self.both = torch.zeros(2, batch_size, n_kv_heads, max_seq_len, head_dim)
        self.n_tokens = 0

    @property
    def keys(self):
        return self.both[0]

    @property
    def values(self):
        return self.both[1]

    def update(self, k, v, positions):
        expected = list(range(self.n_tokens, self.n_tokens + k.shape[2]))
        if positions.tolist() != expected or expected[-1] >= self.both.shape[3]:
            raise ValueError(f"{positions.tolist()} does not continue {self.n_tokens} tokens")
        for column, position in enumerate(expected):
            self.both[0, :, :, position] = k[:, :, column]
            self.both[1, :, :, position] = v[:, :, column]
        self.n_tokens += len(expected)
        return self.both[0, :, :, : self.n_tokens].clone(), self.both[1, :, :, : self.n_tokens].clone()

    def reset(self):
        self.both.zero_()
        self.n_tokens = 0


def left_pad(rows, *, pad_token=0):
    width = max(len(row) for row in rows)
    tokens, positions = [], []
    for row in rows:
        missing = width - len(row)
        tokens.append(missing * [pad_token] + row)
        positions.append([-1] * missing + list(range(len(row))))
    return torch.tensor(tokens), torch.tensor(positions)


def cached_attention(q, k, v, positions, key_positions):
    out = torch.zeros_like(q)
    for b in range(q.shape[0]):
        for h in range(q.shape[1]):
            shared = h * k.shape[1] // q.shape[1]
            for t in range(q.shape[2]):
                seen = (key_positions[b] >= 0) & (key_positions[b] <= positions[b, t])
                if seen.any():
                    scores = k[b, shared, seen] @ q[b, h, t] / math.sqrt(q.shape[3])
                    weights = (scores - scores.max()).exp()
                    out[b, h, t] = weights / weights.sum() @ v[b, shared, seen]
    return out


def attention_step(q, k, v, past_keys, past_values, start):
    outputs = []
    for t in range(q.shape[2]):
        here = torch.tensor([start + t])
        past_keys = torch.cat([past_keys, apply_rope(k[:, :, t : t + 1], here)], dim=2)
        past_values = torch.cat([past_values, v[:, :, t : t + 1]], dim=2)
        places = here.expand(q.shape[0], 1), torch.arange(start + t + 1).expand(q.shape[0], -1)
        query = apply_rope(q[:, :, t : t + 1], here)
        outputs.append(cached_attention(query, past_keys, past_values, *places))
    return torch.cat(outputs, dim=2), past_keys, past_values
