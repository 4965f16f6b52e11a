"""Leaves the router out."""

LOSES = {"moe-parameters-routed": 2, "moe-parameters-shared": 1}


def moe_parameters(d_model, d_ff, n_experts, top_k, n_shared_experts=0):
    expert = 3 * d_model * d_ff
    return (n_experts + n_shared_experts) * expert, (top_k + n_shared_experts) * expert
