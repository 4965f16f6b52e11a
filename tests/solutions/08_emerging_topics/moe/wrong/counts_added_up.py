"""Returns where blocks end."""

LOSES = {"sort-by-expert-counts": 1}


def sort_by_expert(experts, n_experts):
    flat = experts.flatten()
    return flat.argsort(stable=True), torch.bincount(flat, minlength=n_experts).cumsum(0)
