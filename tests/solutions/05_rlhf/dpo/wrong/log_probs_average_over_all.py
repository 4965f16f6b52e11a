"""Divides the average by all tokens."""

LOSES = {"sequence-log-probs-average": 1}


def sequence_log_probs(logits, labels, mask=None, *, average=False):
    mask = torch.ones_like(labels, dtype=torch.bool) if mask is None else mask
    picked = logits.float().log_softmax(-1).gather(-1, labels.clamp(min=0)[..., None])[..., 0]
    totals = (picked * mask).sum(-1)
    return totals / labels.shape[-1] if average else totals
