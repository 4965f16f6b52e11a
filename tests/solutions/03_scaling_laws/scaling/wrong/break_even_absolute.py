"""Takes the size of a negative number of tokens."""

LOSES = {"break-even-tokens-at-once": 1}


def break_even_tokens(small, large):
    (n, d), (n_large, d_large) = small, large
    return abs(3 * (n * d - n_large * d_large) / (n_large - n))
