"""Numbers all first choices before the second ones."""

LOSES = {"sort-by-expert-slots": 2}


def sort_by_expert(experts, n_experts):
    flat = experts.T.flatten()
    return flat.argsort(stable=True), torch.bincount(flat, minlength=n_experts)
