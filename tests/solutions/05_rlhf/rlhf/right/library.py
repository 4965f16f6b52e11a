"""As short as PyTorch allows: cross-entropy of two rewards, index_put, a matrix of weights, and masked selection."""


def bradley_terry_loss(chosen, rejected, *, margin=0.0):
    rewards = torch.stack([chosen - margin, rejected], dim=-1)
    target = torch.zeros(len(chosen), dtype=torch.int64)
    return torch.nn.functional.cross_entropy(rewards, target, reduction="none")


def token_rewards(scores, log_probs, reference_log_probs, mask=None, *, beta=0.05):
    if mask is None:
        mask = torch.full(log_probs.shape, True)
    last = mask & (mask.flip(-1).cumsum(-1).flip(-1) == 1)
    return (beta * (reference_log_probs - log_probs)).masked_fill(~mask, 0.0) + last * scores.unsqueeze(-1)


def gae(rewards, values, mask=None, *, gamma=1.0, lam=0.95):
    if mask is not None:
        rewards, values = rewards.masked_fill(~mask, 0.0), values.masked_fill(~mask, 0.0)
    n = rewards.shape[1]
    ahead = torch.arange(n) - torch.arange(n)[:, None]
    weights = torch.where(ahead >= 0, torch.tensor(gamma * lam) ** ahead.clamp(min=0), torch.tensor(0.0))
    deltas = rewards + gamma * torch.nn.functional.pad(values[:, 1:], (0, 1)) - values
    advantages = deltas @ weights.T
    return advantages, advantages + values


def ppo_loss(log_probs, old_log_probs, advantages, mask=None, *, clip=0.2):
    ratio, gain = torch.exp(log_probs - old_log_probs.detach()), advantages.detach()
    losses = torch.maximum(-ratio * gain, -torch.clip(ratio, 1 - clip, 1 + clip) * gain)
    if mask is not None:
        losses = losses[mask]
    return losses.sum() / max(1, losses.numel())
