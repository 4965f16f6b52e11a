"""Returns losses, the minus of log-probabilities."""

LOSES = {
    "sequence-log-probs-values": 2,
    "sequence-log-probs-mask": 2,
    "sequence-log-probs-average": 1,
    "dpo-step-direction": 3,
    "dpo-step-answers": 2,
    "dpo-step-reference": 1,
}


def sequence_log_probs(logits, labels, mask=None, *, average=False):
    mask = torch.ones_like(labels, dtype=torch.bool) if mask is None else mask
    picked = -logits.float().log_softmax(-1).gather(-1, labels.clamp(min=0)[..., None])[..., 0]
    totals = (picked * mask).sum(-1)
    return totals / mask.sum(-1).clamp(min=1) if average else totals
