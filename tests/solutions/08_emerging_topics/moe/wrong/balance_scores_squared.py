"""Multiplies mean scores with mean scores."""

LOSES = {"load-balancing-loss-values": 2, "load-balancing-loss-mask": 1, "load-balancing-loss-gradient": 2}


def load_balancing_loss(router_logits, experts, mask=None):
    if mask is not None:
        router_logits = router_logits[mask]
    return router_logits.shape[-1] * router_logits.softmax(dim=-1).mean(dim=0).square().sum()
