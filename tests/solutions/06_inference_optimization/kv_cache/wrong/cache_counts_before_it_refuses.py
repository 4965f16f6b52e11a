"""Counts tokens that it then refuses."""

LOSES = {"kvcache-refuses": 1}


class KVCache:
    def __init__(self, *, batch_size, n_kv_heads, max_seq_len, head_dim):
        self.keys = torch.zeros(batch_size, n_kv_heads, max_seq_len, head_dim)
        self.values = torch.zeros_like(self.keys)
        self.n_tokens = 0

    def update(self, k, v, positions):
        start, end = int(positions[0]), int(positions[-1]) + 1
        held, self.n_tokens = self.n_tokens, end
        if start != held or end > self.keys.shape[2]:
            raise ValueError(f"positions {start} to {end - 1} do not fit")
        self.keys[:, :, positions], self.values[:, :, positions] = k, v
        self.n_tokens = end
        return self.keys[:, :, :end], self.values[:, :, :end]

    def reset(self):
        self.n_tokens = 0
