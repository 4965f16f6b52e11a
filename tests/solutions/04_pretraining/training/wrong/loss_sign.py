"""Returns the mean log-likelihood, without the minus."""

LOSES = {"cross-entropy-values": 2, "cross-entropy-stable": 1, "cross-entropy-mask": 2}


def cross_entropy(logits, labels, mask=None):
    mask = torch.ones_like(labels, dtype=torch.bool) if mask is None else mask
    logits, labels = logits[mask].float(), labels[mask]
    losses = -logits.log_softmax(-1).gather(-1, labels[:, None])[:, 0]
    return -losses.sum() / max(len(losses), 1)
