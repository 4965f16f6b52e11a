"""No function calls another: one-hot matrices and sorted keys."""

import torch.nn.functional as F


def route_top_k(router_logits, top_k, *, renormalize=True, score="softmax", selection_bias=None):
    log_scores = router_logits.log_softmax(-1) if score == "softmax" else F.logsigmoid(router_logits)
    bias = 0 if selection_bias is None else selection_bias
    experts = (log_scores.exp() + bias).argsort(dim=-1, descending=True)[:, :top_k]
    chosen = torch.take_along_dim(log_scores, experts, -1)
    return (chosen.softmax(-1) if renormalize else chosen.exp()), experts


def sort_by_expert(experts, n_experts):
    slots = torch.arange(experts.numel())
    key = experts.reshape(-1) * experts.numel() + slots
    return key.sort().values % experts.numel(), F.one_hot(experts, n_experts).sum((0, 1))


def combine(outputs, slots, weights):
    rows = torch.zeros(weights.numel(), outputs.shape[1])
    rows[slots] = outputs
    return torch.einsum("tk,tkd->td", weights, rows.view(*weights.shape, -1))


def load_balancing_loss(router_logits, experts, mask=None):
    n_experts = router_logits.size(1)
    counted = torch.ones(len(experts)) if mask is None else mask.float()
    chosen = F.one_hot(experts, n_experts).float().mean(1)
    share, score = (counted @ each / counted.sum().clamp(min=1) for each in (chosen, F.softmax(router_logits, dim=1)))
    return share @ score * n_experts


def moe_parameters(d_model, d_ff, n_experts, top_k, n_shared_experts=0):
    per_expert = d_model * (2 * d_ff) + d_ff * d_model
    total = per_expert * (n_experts + n_shared_experts) + d_model * n_experts
    return total, total - per_expert * (n_experts - top_k)
