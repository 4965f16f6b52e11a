"""Cuts the weights off from the gradient."""

LOSES = {"route-top-k-gradient": 1}


def route_top_k(router_logits, top_k, *, renormalize=True, score="softmax", selection_bias=None):
    scores = router_logits.detach().softmax(-1) if score == "softmax" else router_logits.detach().sigmoid()
    experts = (scores if selection_bias is None else scores + selection_bias).topk(top_k, dim=-1).indices
    weights = scores.gather(-1, experts)
    return (weights / weights.sum(-1, keepdim=True) if renormalize else weights), experts
