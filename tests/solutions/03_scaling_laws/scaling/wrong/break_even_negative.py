"""Returns a negative number where the small model was cheaper to train."""

LOSES = {"break-even-tokens-at-once": 1}


def break_even_tokens(small, large):
    (n, d), (n_large, d_large) = small, large
    return 3 * (n * d - n_large * d_large) / (n_large - n)
