"""Averages in place of summing."""

LOSES = {"sequence-log-probs-values": 2, "sequence-log-probs-mask": 2, "dpo-step-direction": 3, "dpo-step-answers": 2}


def sequence_log_probs(logits, labels, mask=None, *, average=False):
    mask = torch.ones_like(labels, dtype=torch.bool) if mask is None else mask
    picked = logits.float().log_softmax(-1).gather(-1, labels.clamp(min=0)[..., None])[..., 0]
    return (picked * mask).sum(-1) / mask.sum(-1).clamp(min=1)
