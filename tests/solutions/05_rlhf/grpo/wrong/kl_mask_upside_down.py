"""Takes the mask the wrong way round."""

LOSES = {"kl-penalty-mask": 1}


def kl_penalty(log_probs, reference_log_probs, mask=None, *, estimator="k1"):
    x = reference_log_probs - log_probs
    estimate = {"k1": -x, "k2": x**2 / 2, "k3": x.exp() - 1 - x}[estimator]
    return estimate if mask is None else torch.where(mask, 0.0, estimate)
