"""Has the sign turned round."""

LOSES = {"load-balancing-loss-values": 2, "load-balancing-loss-mask": 1, "load-balancing-loss-gradient": 2}


def load_balancing_loss(router_logits, experts, mask=None):
    n_experts = router_logits.shape[-1]
    if mask is not None:
        router_logits, experts = router_logits[mask], experts[mask]
    share = torch.bincount(experts.flatten(), minlength=n_experts) / experts.numel()
    return -n_experts * (share * router_logits.softmax(dim=-1).mean(dim=0)).sum()
