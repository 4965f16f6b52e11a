"""Compares the tokens of training, not their FLOP."""

LOSES = {"break-even-tokens-values": 3, "break-even-tokens-at-once": 1}


def break_even_tokens(small, large):
    (_, d), (_, d_large) = small, large
    return max(0.0, d - d_large)
