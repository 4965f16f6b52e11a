"""Blends wavelengths instead of frequencies."""

LOSES = {"yarn-frequencies-ramp": 2, "yarn-frequencies-options": 1}


def yarn_frequencies(head_dim, *, theta, scale, original_max_seq_len, beta_fast=32, beta_slow=1):
    def pair(turns):
        return head_dim * math.log(original_max_seq_len / (2 * math.pi * turns)) / (2 * math.log(theta))

    low, high = max(math.floor(pair(beta_fast)), 0), min(math.ceil(pair(beta_slow)), head_dim - 1)
    number = torch.arange(head_dim // 2)
    plain = theta ** (-2 * number / head_dim)
    share = ((number - low) / (high - low)).clamp(0, 1)
    return 1 / (scale / plain * share + (1 - share) / plain), 0.1 * math.log(scale) + 1
