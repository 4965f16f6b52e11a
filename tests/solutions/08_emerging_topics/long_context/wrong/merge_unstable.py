"""Takes exponentials as they are."""

LOSES = {"merge-attention-stable": 2, "merge-attention-unseen": 1}


def merge_attention(first, first_log_sum, second, second_log_sum):
    a, b = first_log_sum.exp(), second_log_sum.exp()
    merged = (a.unsqueeze(-1) * first + b.unsqueeze(-1) * second) / (a + b).unsqueeze(-1)
    return merged, (a + b).log()
