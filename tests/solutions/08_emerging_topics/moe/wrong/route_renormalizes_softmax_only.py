"""Leaves sigmoids as they are."""

LOSES = {"route-top-k-sigmoid": 1, "route-top-k-bias": 2}


def route_top_k(router_logits, top_k, *, renormalize=True, score="softmax", selection_bias=None):
    scores = router_logits.softmax(dim=-1) if score == "softmax" else router_logits.sigmoid()
    choice = scores if selection_bias is None else scores + selection_bias
    experts = choice.topk(top_k, dim=-1).indices
    weights = scores.gather(-1, experts)
    if renormalize and score == "softmax":
        weights = weights / weights.sum(dim=-1, keepdim=True)
    return weights, experts
