"""Takes 6 N for a token that is served."""

LOSES = {"break-even-tokens-values": 3}


def break_even_tokens(small, large):
    (n, d), (n_large, d_large) = small, large
    return max(0.0, (n * d - n_large * d_large) / (n_large - n))
