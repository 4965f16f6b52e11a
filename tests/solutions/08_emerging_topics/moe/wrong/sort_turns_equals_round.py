"""Turns the order of one expert's slots round."""

LOSES = {"sort-by-expert-slots": 2}


def sort_by_expert(experts, n_experts):
    flat = experts.flatten()
    return len(flat) - 1 - flat.flip(0).argsort(stable=True), torch.bincount(flat, minlength=n_experts)
