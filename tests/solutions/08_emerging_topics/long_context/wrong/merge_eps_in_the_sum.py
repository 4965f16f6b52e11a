"""Adds a small number to the sum, under which small scores vanish."""

LOSES = {"merge-attention-stable": 2}


def merge_attention(first, first_log_sum, second, second_log_sum):
    greatest = torch.maximum(first_log_sum, second_log_sum).clamp(min=-50)
    a, b = (first_log_sum - greatest).exp(), (second_log_sum - greatest).exp()
    merged = (a.unsqueeze(-1) * first + b.unsqueeze(-1) * second) / (a + b + 1e-20).unsqueeze(-1)
    return merged, greatest + (a + b).log()
