"""Sets weights to 0 after the softmax, so that they do not add up to 1."""

LOSES = {
    "cached-attention-several": 2,
    "cached-attention-heads": 1,
    "cached-attention-padding": 2,
    "attention-step-pieces": 3,
}


def cached_attention(q, k, v, positions, key_positions):
    repeats = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(repeats, dim=1), v.repeat_interleave(repeats, dim=1)
    seen = (key_positions[:, None, :] <= positions[:, :, None]) & (key_positions[:, None, :] >= 0)
    scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    weights = scores.softmax(-1).masked_fill(~seen[:, None], 0)
    return weights.nan_to_num(0.0) @ v
