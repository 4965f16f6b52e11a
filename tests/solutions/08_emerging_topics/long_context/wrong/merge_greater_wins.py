"""Takes the part with the greater log."""

LOSES = {"merge-attention-values": 2, "merge-attention-stable": 2, "merge-attention-unseen": 1}


def merge_attention(first, first_log_sum, second, second_log_sum):
    gap = torch.where(first_log_sum == second_log_sum, 0.0, first_log_sum - second_log_sum)
    merged = torch.where((gap >= 0).unsqueeze(-1), first, second)
    return merged, torch.logaddexp(first_log_sum, second_log_sum)
