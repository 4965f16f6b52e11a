"""Has no causal mask."""

LOSES = {
    "cached-attention-several": 2,
    "cached-attention-heads": 1,
    "cached-attention-padding": 2,
    "attention-step-pieces": 3,
}


def cached_attention(q, k, v, positions, key_positions):
    repeats = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(repeats, dim=1), v.repeat_interleave(repeats, dim=1)
    seen = (key_positions[:, None, :] >= 0).expand(-1, q.shape[2], -1)
    scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    weights = scores.masked_fill(~seen[:, None], -torch.inf).softmax(-1)
    return weights.nan_to_num(0.0) @ v
