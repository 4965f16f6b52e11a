"""Shares values in turns."""

LOSES = {"cached-attention-heads": 1, "attention-step-pieces": 3}


def cached_attention(q, k, v, positions, key_positions):
    repeats = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(repeats, dim=1), v.repeat(1, repeats, 1, 1)
    seen = (key_positions[:, None, :] <= positions[:, :, None]) & (key_positions[:, None, :] >= 0)
    scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    weights = scores.masked_fill(~seen[:, None], -torch.inf).softmax(-1)
    return weights.nan_to_num(0.0) @ v
