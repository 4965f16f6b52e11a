"""Has NaN where neither part is seen."""

LOSES = {"merge-attention-unseen": 1}


def merge_attention(first, first_log_sum, second, second_log_sum):
    gap = first_log_sum - second_log_sum
    merged = gap.sigmoid().unsqueeze(-1) * first + (-gap).sigmoid().unsqueeze(-1) * second
    return merged, torch.logaddexp(first_log_sum, second_log_sum)
