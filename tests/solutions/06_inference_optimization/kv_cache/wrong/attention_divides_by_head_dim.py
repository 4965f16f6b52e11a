"""Divides by head_dim."""

LOSES = {
    "cached-attention-one": 2,
    "cached-attention-several": 2,
    "cached-attention-heads": 1,
    "cached-attention-padding": 2,
    "attention-step-pieces": 3,
}


def cached_attention(q, k, v, positions, key_positions):
    repeats = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(repeats, dim=1), v.repeat_interleave(repeats, dim=1)
    seen = (key_positions[:, None, :] <= positions[:, :, None]) & (key_positions[:, None, :] >= 0)
    scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 1
    weights = scores.masked_fill(~seen[:, None], -torch.inf).softmax(-1)
    return weights.nan_to_num(0.0) @ v
