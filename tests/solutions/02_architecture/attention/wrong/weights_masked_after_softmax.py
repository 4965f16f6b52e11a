"""Sets weights to 0 after the softmax, so that a row no longer adds up to 1."""

LOSES = {"attention-weights-causal": 2, "attention-weights-cached": 2}


def attention_weights(q, k, *, causal=False, scale=None):
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    k = k.repeat_interleave(q.shape[1] // k.shape[1], dim=1)
    weights = (q @ k.transpose(-1, -2) * scale).softmax(-1)
    return weights.tril(k.shape[2] - q.shape[2]) if causal else weights
