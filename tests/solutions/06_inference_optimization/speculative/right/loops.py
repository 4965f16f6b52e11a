"""Loops, and lists of numbers."""


def residual_distribution(target, draft):
    rest = torch.maximum(target, draft) - draft
    total = rest.sum(dim=-1, keepdim=True)
    safe = torch.where(total == 0, torch.ones_like(total), total)
    return rest / safe + target * (total == 0)


def count_accepted(drafted, draft, target, uniform):
    for place, token in enumerate(drafted.tolist()):
        if float(uniform[place]) * float(draft[place, token]) >= float(target[place, token]):
            return place
    return len(drafted)


def next_distribution(draft, target, n_accepted):
    if n_accepted < draft.shape[0]:
        return residual_distribution(target[n_accepted], draft[n_accepted])
    return target[n_accepted]


def expected_tokens(acceptance, draft_length):
    if acceptance == 1:
        return draft_length + 1
    return (1 - acceptance ** (draft_length + 1)) / (1 - acceptance)


def expected_speedup(acceptance, draft_length, cost_ratio):
    cost = 1 + cost_ratio * draft_length
    return expected_tokens(acceptance, draft_length) / cost
