"""Returns the log of the mean."""

LOSES = {"merge-attention-log-sum": 1, "merge-attention-stable": 2, "merge-attention-unseen": 1}


def merge_attention(first, first_log_sum, second, second_log_sum):
    gap = torch.where(first_log_sum == second_log_sum, 0.0, first_log_sum - second_log_sum)
    merged = gap.sigmoid().unsqueeze(-1) * first + (-gap).sigmoid().unsqueeze(-1) * second
    return merged, torch.logaddexp(first_log_sum, second_log_sum) - 0.6931472
