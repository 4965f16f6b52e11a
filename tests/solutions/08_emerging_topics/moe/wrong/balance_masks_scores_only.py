"""Counts choices of padding."""

LOSES = {"load-balancing-loss-mask": 1}


def load_balancing_loss(router_logits, experts, mask=None):
    n_experts = router_logits.shape[-1]
    if mask is not None:
        router_logits = router_logits[mask]
    share = torch.bincount(experts.flatten(), minlength=n_experts) / experts.numel()
    return n_experts * (share * router_logits.softmax(dim=-1).mean(dim=0)).sum()
