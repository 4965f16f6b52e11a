"""The loss calls the other two functions."""


def group_advantages(rewards, *, group_size, normalize_std=True):
    groups = rewards.unflatten(0, (-1, group_size))
    scale = groups.std(-1, keepdim=True) + 1e-4 if normalize_std else 1.0
    return ((groups - groups.mean(-1, keepdim=True)) / scale).flatten()


def kl_penalty(log_probs, reference_log_probs, mask=None, *, estimator="k1"):
    x = reference_log_probs - log_probs
    if estimator == "k1":
        estimate = -x
    elif estimator == "k2":
        estimate = 0.5 * x.square()
    else:
        estimate = torch.expm1(x) - x
    return estimate if mask is None else estimate.masked_fill(~mask, 0.0)


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
    gain = group_advantages(rewards, group_size=group_size, normalize_std=normalize_std).unsqueeze(1)
    ratio = torch.exp(log_probs - old_log_probs)
    losses = torch.maximum(-ratio * gain, -torch.clip(ratio, 1 - clip, 1 + clip) * gain)
    if beta:
        losses = losses + beta * kl_penalty(log_probs, reference_log_probs, estimator="k3")
    each = mask.float()
    if aggregation == "sequence":
        weights = each / each.sum(1, keepdim=True).clamp(min=1) / len(each)
    elif aggregation == "token":
        weights = each / each.sum().clamp(min=1)
    else:
        weights = each / each.numel()
    return (losses * weights).sum()
