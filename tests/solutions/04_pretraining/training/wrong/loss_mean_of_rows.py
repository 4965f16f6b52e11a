"""Takes the mean of each row's mean, so that tokens of short rows count more."""

LOSES = {"cross-entropy-mask": 2}


def cross_entropy(logits, labels, mask=None):
    mask = torch.ones_like(labels, dtype=torch.bool) if mask is None else mask
    losses = -logits.float().log_softmax(-1).gather(-1, labels.clamp(min=0)[..., None])[..., 0]
    if mask.ndim == 1:
        return (losses * mask).sum() / mask.sum().clamp(min=1)
    kept = mask.flatten(1).sum(-1)
    return ((losses * mask).flatten(1).sum(-1) / kept.clamp(min=1)).sum() / (kept > 0).sum().clamp(min=1)
