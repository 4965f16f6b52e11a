"""Lacks the -1 of k3."""

LOSES = {"kl-penalty-k3": 2}


def kl_penalty(log_probs, reference_log_probs, mask=None, *, estimator="k1"):
    x = reference_log_probs - log_probs
    estimate = {"k1": -x, "k2": x**2 / 2, "k3": x.exp() - x}[estimator]
    return estimate if mask is None else torch.where(mask, estimate, 0.0)
