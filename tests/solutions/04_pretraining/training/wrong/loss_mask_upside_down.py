"""Takes the mask for what is left out."""

LOSES = {"cross-entropy-mask": 2, "cross-entropy-nothing-kept": 1}


def cross_entropy(logits, labels, mask=None):
    mask = torch.ones_like(labels, dtype=torch.bool) if mask is None else ~mask
    losses = -logits[mask].float().log_softmax(-1).gather(-1, labels[mask].clamp(min=0)[:, None])
    return losses.sum() / max(losses.numel(), 1)
