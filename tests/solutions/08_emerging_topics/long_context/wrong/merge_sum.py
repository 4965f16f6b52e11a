"""Adds parts up."""

LOSES = {"merge-attention-values": 2, "merge-attention-stable": 2, "merge-attention-unseen": 1}


def merge_attention(first, first_log_sum, second, second_log_sum):
    return first + second, torch.logaddexp(first_log_sum, second_log_sum)
