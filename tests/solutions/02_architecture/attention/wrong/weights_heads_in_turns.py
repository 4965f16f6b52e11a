"""Gives the KV heads to the query heads in turns, not to neighbours."""

LOSES = {"attention-weights-groups": 1}


def attention_weights(q, k, *, causal=False, scale=None):
    t, n = q.shape[2], k.shape[2]
    default = q.shape[-1] ** -0.5
    scale = default if scale is None else scale
    k = k.repeat(1, q.shape[1] // k.shape[1], 1, 1)
    scores = q @ k.transpose(-1, -2) * scale
    if causal:
        hidden = torch.arange(n) > torch.arange(t)[:, None] + n - t
        scores = scores.masked_fill(hidden, float("-inf"))
    return scores.softmax(-1)
