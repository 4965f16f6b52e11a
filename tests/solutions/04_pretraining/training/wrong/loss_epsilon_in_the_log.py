"""Adds 1e-9 to probabilities before the logarithm, so that none is 0."""

LOSES = {"cross-entropy-stable": 1}


def cross_entropy(logits, labels, mask=None):
    mask = torch.ones_like(labels, dtype=torch.bool) if mask is None else mask
    logits, labels = logits[mask].float(), labels[mask]
    losses = -(logits.softmax(-1).gather(-1, labels[:, None]) + 1e-9).log()
    return losses.sum() / max(losses.numel(), 1)
