"""Always takes sigmoids."""

LOSES = {"route-top-k-scores": 2, "route-top-k-renormalize": 1, "route-top-k-bias": 2}


def route_top_k(router_logits, top_k, *, renormalize=True, score="softmax", selection_bias=None):
    scores = router_logits.sigmoid()
    choice = scores if selection_bias is None else scores + selection_bias
    experts = choice.topk(top_k, dim=-1).indices
    weights = scores.gather(-1, experts)
    if renormalize:
        weights = weights / weights.sum(dim=-1, keepdim=True)
    return weights, experts
