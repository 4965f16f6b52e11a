"""Does not divide by the sum."""

LOSES = {"merge-attention-values": 2, "merge-attention-stable": 2, "merge-attention-unseen": 1}


def merge_attention(first, first_log_sum, second, second_log_sum):
    merged = first_log_sum.exp().unsqueeze(-1) * first + second_log_sum.exp().unsqueeze(-1) * second
    return merged, torch.logaddexp(first_log_sum, second_log_sum)
