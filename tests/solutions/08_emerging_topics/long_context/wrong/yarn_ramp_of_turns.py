"""Blends linearly in the number of turns, as the paper's text has it."""

LOSES = {"yarn-frequencies-ramp": 2, "yarn-frequencies-options": 1}


def yarn_frequencies(head_dim, *, theta, scale, original_max_seq_len, beta_fast=32, beta_slow=1):
    plain = theta ** (-2 * torch.arange(head_dim // 2) / head_dim)
    turns = original_max_seq_len * plain / (2 * math.pi)
    kept = ((turns - beta_slow) / (beta_fast - beta_slow)).clamp(0, 1)
    return plain / scale * (1 - kept) + plain * kept, 0.1 * math.log(scale) + 1
