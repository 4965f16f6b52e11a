"""Repeats along the tokens."""

LOSES = {"expand-kv-heads-order": 2}


def expand_kv_heads(x, n_heads):
    return x.repeat_interleave(n_heads // x.shape[1], dim=2)
