"""Chapter 8: what is emerging. Importing it registers "moe" among the feed-forward layers."""

from llmcourse.emerging.expert_dispatch import (
    apply_experts,
    combine,
    expert_capacity,
    expert_swiglu,
    sort_by_expert,
)
from llmcourse.emerging.mixture_of_experts import (
    MixtureOfExperts,
    MoEConfig,
    auxiliary_loss,
    balance_experts,
    moe_parameters,
)
from llmcourse.emerging.routing import (
    expert_counts,
    load_balancing_loss,
    route_top_k,
    router_z_loss,
    update_selection_bias,
)

__all__ = [
    "MixtureOfExperts",
    "MoEConfig",
    "apply_experts",
    "auxiliary_loss",
    "balance_experts",
    "combine",
    "expert_capacity",
    "expert_counts",
    "expert_swiglu",
    "load_balancing_loss",
    "moe_parameters",
    "route_top_k",
    "router_z_loss",
    "sort_by_expert",
    "update_selection_bias",
]
