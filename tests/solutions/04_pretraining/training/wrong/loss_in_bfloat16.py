"""Computes in the dtype of the logits."""

LOSES = {"cross-entropy-stable": 1}


def cross_entropy(logits, labels, mask=None):
    mask = torch.ones_like(labels, dtype=torch.bool) if mask is None else mask
    logits, labels = logits[mask], labels[mask]
    losses = -logits.log_softmax(-1).gather(-1, labels[:, None])[:, 0]
    return losses.sum() / max(losses.numel(), 1)
