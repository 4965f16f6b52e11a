"""Adds the bias to the logits before scores are taken."""

LOSES = {"route-top-k-bias": 2}


def route_top_k(router_logits, top_k, *, renormalize=True, score="softmax", selection_bias=None):
    if selection_bias is not None:
        router_logits = router_logits + selection_bias
    scores = router_logits.softmax(dim=-1) if score == "softmax" else router_logits.sigmoid()
    weights, experts = scores.topk(top_k, dim=-1)
    if renormalize:
        weights = weights / weights.sum(dim=-1, keepdim=True)
    return weights, experts
