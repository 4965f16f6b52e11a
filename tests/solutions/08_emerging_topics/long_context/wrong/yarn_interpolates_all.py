"""Interpolates all pairs."""

LOSES = {"yarn-frequencies-ends": 2, "yarn-frequencies-ramp": 2, "yarn-frequencies-options": 1}


def yarn_frequencies(head_dim, *, theta, scale, original_max_seq_len, beta_fast=32, beta_slow=1):
    plain = theta ** (-2 * torch.arange(head_dim // 2) / head_dim)
    return plain / scale, 0.1 * math.log(scale) + 1
