"""Divides by what the small model's token costs, not by the difference."""

LOSES = {"break-even-tokens-values": 3}


def break_even_tokens(small, large):
    (n, d), (n_large, d_large) = small, large
    return max(0.0, 3 * (n * d - n_large * d_large) / n)
