"""Divides by all tokens, padding too."""

LOSES = {"cross-entropy-mask": 2}


def cross_entropy(logits, labels, mask=None):
    mask = torch.ones_like(labels, dtype=torch.bool) if mask is None else mask
    logits, labels = logits[mask].float(), labels[mask]
    losses = -logits.log_softmax(-1).gather(-1, labels[:, None])[:, 0]
    return losses.sum() / mask.numel()
