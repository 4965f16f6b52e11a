"""Loops over pairs, and subtracts the greater log by hand."""


def ntk_scaled_theta(theta, scale, head_dim):
    return math.exp(math.log(theta) + head_dim / (head_dim - 2) * math.log(scale))


def yarn_frequencies(head_dim, *, theta, scale, original_max_seq_len, beta_fast=32, beta_slow=1):
    def number_of(turns):
        return head_dim * math.log(original_max_seq_len / (turns * 2 * math.pi)) / (2 * math.log(theta))

    low, high = max(math.floor(number_of(beta_fast)), 0), min(math.ceil(number_of(beta_slow)), head_dim - 1)
    frequencies = []
    for i in range(head_dim // 2):
        plain = theta ** (-2 * i / head_dim)
        share = min(max((i - low) / (high - low), 0), 1)
        frequencies.append(plain * (1 - share) + plain * share / scale)
    return torch.tensor(frequencies), 0.1 * math.log(scale) + 1.0


def merge_attention(first, first_log_sum, second, second_log_sum):
    greatest = torch.maximum(first_log_sum, second_log_sum)
    shift = torch.where(greatest == -torch.inf, torch.zeros_like(greatest), greatest)
    a, b = torch.exp(first_log_sum - shift), torch.exp(second_log_sum - shift)
    total = a + b
    safe = torch.where(total == 0, torch.ones_like(total), total)
    merged = (a[..., None] * first + b[..., None] * second) / safe[..., None]
    return merged, shift + total.log()
