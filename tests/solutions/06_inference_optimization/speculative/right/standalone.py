"""No function calls another."""


def residual_distribution(target, draft):
    rest = (target - draft).clamp(min=0)
    total = rest.sum(-1, keepdim=True)
    return torch.where(total > 0, rest / total, target)


def count_accepted(drafted, draft, target, uniform):
    chosen = drafted[:, None]
    p, q = target[:-1].gather(1, chosen)[:, 0], draft.gather(1, chosen)[:, 0]
    return int((uniform * q < p).int().cumprod(0).sum())


def next_distribution(draft, target, n_accepted):
    padded = torch.cat([draft, torch.zeros_like(target[:1])])
    rest = torch.relu(target[n_accepted] - padded[n_accepted])
    return rest / rest.sum()


def expected_tokens(acceptance, draft_length):
    return sum(acceptance**k for k in range(draft_length + 1))


def expected_speedup(acceptance, draft_length, cost_ratio):
    tokens = 0.0
    for _ in range(draft_length + 1):
        tokens = 1 + acceptance * tokens
    return tokens / (1 + cost_ratio * draft_length)
