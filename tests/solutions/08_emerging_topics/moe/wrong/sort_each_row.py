"""Sorts each token's choices."""

LOSES = {"sort-by-expert-slots": 2}


def sort_by_expert(experts, n_experts):
    flat = experts.flatten()
    return experts.argsort(dim=-1, stable=True).flatten(), torch.bincount(flat, minlength=n_experts)
