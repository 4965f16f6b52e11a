"""Counts a step of the draft for the bonus."""

LOSES = {"expected-speedup-values": 2}


def expected_speedup(acceptance, draft_length, cost_ratio):
    return expected_tokens(acceptance, draft_length) / (1 + (draft_length + 1) * cost_ratio)
