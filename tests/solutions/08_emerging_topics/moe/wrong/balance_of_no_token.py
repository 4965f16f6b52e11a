"""Divides by 0 where no token counts."""

LOSES = {"load-balancing-loss-mask": 1}


def load_balancing_loss(router_logits, experts, mask=None):
    if mask is not None:
        router_logits, experts = router_logits[mask], experts[mask]
    load = torch.bincount(experts.flatten(), minlength=router_logits.shape[1]) / experts.numel()
    return router_logits.shape[1] * (load * router_logits.softmax(-1).mean(0)).sum()
