"""Subtracts the wrong way round."""

LOSES = {"break-even-tokens-values": 3, "break-even-tokens-at-once": 1}


def break_even_tokens(small, large):
    (n, d), (n_large, d_large) = small, large
    return max(0.0, 3 * (n_large * d_large - n * d) / (n_large - n))
