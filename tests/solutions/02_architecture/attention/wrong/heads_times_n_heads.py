"""Repeats each head n_heads times."""

LOSES = {"expand-kv-heads-order": 2}


def expand_kv_heads(x, n_heads):
    return x.repeat_interleave(n_heads, dim=1)
