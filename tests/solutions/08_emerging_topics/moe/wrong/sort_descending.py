"""Has the last expert first."""

LOSES = {"sort-by-expert-slots": 2}


def sort_by_expert(experts, n_experts):
    flat = experts.flatten()
    return flat.argsort(stable=True, descending=True), torch.bincount(flat, minlength=n_experts)
