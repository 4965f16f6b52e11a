"""Lets the model read drafted tokens one by one."""

LOSES = {"expected-speedup-values": 2}


def expected_speedup(acceptance, draft_length, cost_ratio):
    return expected_tokens(acceptance, draft_length) / (draft_length + draft_length * cost_ratio)
