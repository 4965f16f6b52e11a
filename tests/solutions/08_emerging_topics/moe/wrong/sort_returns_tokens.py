"""Returns tokens instead of slots."""

LOSES = {"sort-by-expert-slots": 2}


def sort_by_expert(experts, n_experts):
    flat = experts.flatten()
    return flat.argsort(stable=True) // experts.shape[1], torch.bincount(flat, minlength=n_experts)
