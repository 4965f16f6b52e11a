"""No function calls another: logarithms, and a softmax over the two parts."""


def ntk_scaled_theta(theta, scale, head_dim):
    slowest = theta ** -((head_dim - 2) / head_dim) / scale
    return slowest ** (-head_dim / (head_dim - 2))


def yarn_frequencies(head_dim, *, theta, scale, original_max_seq_len, beta_fast=32, beta_slow=1):
    step = 2 * math.log(theta) / head_dim
    low = max(0, math.floor(math.log(original_max_seq_len / beta_fast / math.tau) / step))
    high = min(head_dim - 1, math.ceil(math.log(original_max_seq_len / beta_slow / math.tau) / step))
    numbers = torch.arange(head_dim // 2, dtype=torch.float64)
    kept = 1 - torch.clamp((numbers - low) / (high - low), min=0, max=1)
    frequencies = torch.exp(-step * numbers) * (kept + (1 - kept) / scale)
    return frequencies.float(), 1 + math.log(scale) / 10


def merge_attention(first, first_log_sum, second, second_log_sum):
    logs = torch.stack([first_log_sum, second_log_sum])
    shares = torch.nan_to_num(logs.softmax(0))
    return torch.einsum("p...,p...d->...d", shares, torch.stack([first, second])), logs.logsumexp(0)
