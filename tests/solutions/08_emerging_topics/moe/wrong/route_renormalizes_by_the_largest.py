"""Divides by the largest weight."""

LOSES = {"route-top-k-renormalize": 1, "route-top-k-sigmoid": 1, "route-top-k-bias": 2}


def route_top_k(router_logits, top_k, *, renormalize=True, score="softmax", selection_bias=None):
    scores = router_logits.softmax(dim=-1) if score == "softmax" else router_logits.sigmoid()
    choice = scores if selection_bias is None else scores + selection_bias
    experts = choice.topk(top_k, dim=-1).indices
    weights = scores.gather(-1, experts)
    if renormalize:
        weights = weights / weights.max(dim=-1, keepdim=True).values
    return weights, experts
