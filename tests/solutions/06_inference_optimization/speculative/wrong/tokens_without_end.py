"""Is that of an endless draft."""

LOSES = {"expected-tokens-values": 2, "expected-tokens-edges": 1, "expected-speedup-values": 2}


def expected_tokens(acceptance, draft_length):
    return 1 / (1 - acceptance)
