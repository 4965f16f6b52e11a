"""Divides by the number of all tokens."""

LOSES = {"load-balancing-loss-mask": 1}


def load_balancing_loss(router_logits, experts, mask=None):
    n_tokens, n_experts = router_logits.shape
    mask = torch.ones(n_tokens, dtype=torch.bool) if mask is None else mask
    share = torch.bincount(experts[mask].flatten(), minlength=n_experts) / experts.numel()
    return n_experts * (share * router_logits[mask].softmax(dim=-1).sum(dim=0) / n_tokens).sum()
