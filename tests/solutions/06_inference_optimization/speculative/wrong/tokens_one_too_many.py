"""Adds one power too many."""

LOSES = {"expected-tokens-values": 2, "expected-tokens-edges": 1, "expected-speedup-values": 2}


def expected_tokens(acceptance, draft_length):
    return sum(acceptance**k for k in range(draft_length + 2))
