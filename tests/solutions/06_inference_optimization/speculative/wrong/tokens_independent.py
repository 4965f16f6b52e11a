"""Counts tokens as if refusals ended nothing."""

LOSES = {"expected-tokens-values": 2, "expected-speedup-values": 2}


def expected_tokens(acceptance, draft_length):
    return 1 + acceptance * draft_length
