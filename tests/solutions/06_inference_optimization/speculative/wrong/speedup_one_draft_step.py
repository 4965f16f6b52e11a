"""Lets the draft make one step."""

LOSES = {"expected-speedup-values": 2}


def expected_speedup(acceptance, draft_length, cost_ratio):
    return expected_tokens(acceptance, draft_length) / (1 + cost_ratio)
