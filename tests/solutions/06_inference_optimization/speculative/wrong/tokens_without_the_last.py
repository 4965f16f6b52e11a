"""Leaves out the token at the end."""

LOSES = {"expected-tokens-values": 2, "expected-tokens-edges": 1, "expected-speedup-values": 2}


def expected_tokens(acceptance, draft_length):
    return sum(acceptance**k for k in range(1, draft_length + 1))
