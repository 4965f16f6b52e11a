"""Divides by 1 - a where all are kept."""

LOSES = {"expected-tokens-edges": 1}


def expected_tokens(acceptance, draft_length):
    return (1 - acceptance ** (draft_length + 1)) / (1 - acceptance)
