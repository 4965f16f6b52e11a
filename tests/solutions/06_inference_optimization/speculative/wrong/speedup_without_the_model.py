"""Leaves out the model's step."""

LOSES = {"expected-speedup-values": 2}


def expected_speedup(acceptance, draft_length, cost_ratio):
    return expected_tokens(acceptance, draft_length) / (draft_length * cost_ratio)
