"""Leaves shared experts out of the active ones."""

LOSES = {"moe-parameters-shared": 1}


def moe_parameters(d_model, d_ff, n_experts, top_k, n_shared_experts=0):
    expert, router = 3 * d_model * d_ff, d_model * n_experts
    return (n_experts + n_shared_experts) * expert + router, top_k * expert + router
