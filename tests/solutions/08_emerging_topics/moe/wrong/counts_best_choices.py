"""Counts first choices only."""

LOSES = {"sort-by-expert-counts": 1}


def sort_by_expert(experts, n_experts):
    flat = experts.flatten()
    return flat.argsort(stable=True), torch.bincount(experts[:, 0], minlength=n_experts)
