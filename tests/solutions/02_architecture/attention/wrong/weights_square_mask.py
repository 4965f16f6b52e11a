"""Makes a mask of queries by queries, which does not fit more keys."""

LOSES = {"attention-weights-cached": 2}


def attention_weights(q, k, *, causal=False, scale=None):
    t = q.shape[2]
    default = q.shape[-1] ** -0.5
    scale = default if scale is None else scale
    k = k.repeat_interleave(q.shape[1] // k.shape[1], dim=1)
    scores = q @ k.transpose(-1, -2) * scale
    if causal:
        hidden = torch.ones(t, t, dtype=torch.bool).triu(1)
        scores = scores.masked_fill(hidden, float("-inf"))
    return scores.softmax(-1)
