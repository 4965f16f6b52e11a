"""Leaves out all experts that nobody chose."""

LOSES = {"sort-by-expert-counts": 1}


def sort_by_expert(experts, n_experts):
    flat = experts.flatten()
    return flat.argsort(stable=True), flat.unique(return_counts=True)[1]
