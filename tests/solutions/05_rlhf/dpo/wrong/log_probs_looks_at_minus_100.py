"""Looks up the label -100."""

LOSES = {"sequence-log-probs-mask": 2}


def sequence_log_probs(logits, labels, mask=None, *, average=False):
    mask = torch.ones_like(labels, dtype=torch.bool) if mask is None else mask
    picked = logits.float().log_softmax(-1).gather(-1, labels[..., None])[..., 0]
    totals = (picked * mask).sum(-1)
    return totals / mask.sum(-1).clamp(min=1) if average else totals
