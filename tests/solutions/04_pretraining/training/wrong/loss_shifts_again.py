"""Shifts labels that are shifted already."""

LOSES = {"cross-entropy-values": 2, "cross-entropy-mask": 2}


def cross_entropy(logits, labels, mask=None):
    mask = torch.ones_like(labels, dtype=torch.bool) if mask is None else mask
    if labels.ndim > 1:
        logits, labels, mask = logits[:, :-1], labels[:, 1:], mask[:, 1:]
    losses = -logits[mask].float().log_softmax(-1).gather(-1, labels[mask][:, None])
    return losses.sum() / max(losses.numel(), 1)
