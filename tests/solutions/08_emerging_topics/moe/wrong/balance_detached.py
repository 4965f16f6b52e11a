"""Has no gradient."""

LOSES = {"load-balancing-loss-gradient": 2}


def load_balancing_loss(router_logits, experts, mask=None):
    n_experts = router_logits.shape[-1]
    if mask is not None:
        router_logits, experts = router_logits[mask], experts[mask]
    if not len(experts):
        return torch.zeros(())
    share = torch.bincount(experts.flatten(), minlength=n_experts) / experts.numel()
    return n_experts * (share * router_logits.detach().softmax(dim=-1).mean(dim=0)).sum()
