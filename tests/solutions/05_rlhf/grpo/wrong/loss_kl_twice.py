"""Counts the KL in the rewards as well as in the loss."""

LOSES = {"grpo-loss-kl": 2}


def grpo_loss(
    log_probs,
    old_log_probs,
    rewards,
    mask,
    *,
    group_size,
    clip=0.2,
    reference_log_probs=None,
    beta=0.0,
    aggregation="sequence",
    normalize_std=True,
):
    groups = rewards.view(-1, group_size)
    gain = groups - groups.mean(1, keepdim=True)
    if normalize_std:
        gain = gain / (groups.std(1, keepdim=True) + 1e-4)
    gain = gain.reshape(-1, 1)
    ratio = (log_probs - old_log_probs.detach()).exp()
    losses = -torch.minimum(ratio * gain, ratio.clamp(1 - clip, 1 + clip) * gain)
    if reference_log_probs is not None:
        x = reference_log_probs.detach() - log_probs
        losses = losses + 2 * beta * (x.exp() - 1 - x)
    losses = torch.where(mask, losses, 0.0)
    if aggregation == "sequence":
        return (losses.sum(1) / mask.sum(1).clamp(min=1)).mean()
    return losses.sum() / (mask.sum().clamp(min=1) if aggregation == "token" else mask.numel())
