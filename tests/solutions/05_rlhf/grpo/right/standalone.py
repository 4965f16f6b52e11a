"""No function calls another one: loops over groups and answers, and clipping case by case."""


def group_advantages(rewards, *, group_size, normalize_std=True):
    results = []
    for start in range(0, len(rewards), group_size):
        group = rewards[start : start + group_size]
        centred = group - group.sum() / group_size
        deviation = torch.sqrt((centred * centred).sum() / (group_size - 1))
        results.append(centred / (deviation + 1e-4) if normalize_std else centred)
    return torch.cat(results)


def kl_penalty(log_probs, reference_log_probs, mask=None, *, estimator="k1"):
    kept = torch.ones(log_probs.shape) if mask is None else mask.float()
    behind = log_probs - reference_log_probs
    if estimator == "k1":
        return behind * kept
    return (behind**2 / 2 if estimator == "k2" else torch.exp(-behind) + behind - 1) * kept


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
    total = torch.zeros(())
    for b in range(len(rewards)):
        start = b // group_size * group_size
        group = rewards[start : start + group_size]
        gain = rewards[b] - group.mean()
        if normalize_std:
            gain = gain / (group.std() + 1e-4)
        ratio = torch.exp(log_probs[b] - old_log_probs[b])
        held = ratio.clamp(max=1 + clip) if gain > 0 else ratio.clamp(min=1 - clip)
        losses = -held * gain
        if beta:
            apart = reference_log_probs[b] - log_probs[b]
            losses = losses + beta * (apart.exp() - apart - 1)
        total_of_answer = losses[mask[b]].sum()
        if aggregation == "sequence":
            total_of_answer = total_of_answer / max(int(mask[b].sum()), 1) / len(rewards)
        total = total + total_of_answer
    if aggregation == "token":
        return total / max(int(mask.sum()), 1)
    return total if aggregation == "sequence" else total / mask.numel()
