"""Returns the sorted experts."""

LOSES = {"sort-by-expert-slots": 2}


def sort_by_expert(experts, n_experts):
    flat = experts.flatten()
    return flat.sort().values, torch.bincount(flat, minlength=n_experts)
