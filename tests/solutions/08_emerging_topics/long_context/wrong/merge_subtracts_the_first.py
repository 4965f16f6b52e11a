"""Subtracts the first log, not the greater one."""

LOSES = {"merge-attention-stable": 2, "merge-attention-unseen": 1}


def merge_attention(first, first_log_sum, second, second_log_sum):
    b = (second_log_sum - first_log_sum).exp()
    merged = (first + b.unsqueeze(-1) * second) / (1 + b).unsqueeze(-1)
    return merged, first_log_sum + (1 + b).log()
