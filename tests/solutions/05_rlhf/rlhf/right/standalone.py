"""No function calls another one: softplus, loops over rows, the double sum, and clipping case by case."""


def bradley_terry_loss(chosen, rejected, *, margin=0.0):
    behind = rejected + margin - chosen
    return behind.clamp(min=0) + torch.log1p(torch.exp(-behind.abs()))


def token_rewards(scores, log_probs, reference_log_probs, mask=None, *, beta=0.05):
    rewards = torch.zeros(log_probs.shape)
    for b in range(log_probs.shape[0]):
        length = log_probs.shape[1] if mask is None else int(mask[b].sum())
        for t in range(length):
            rewards[b, t] = -beta * (log_probs[b, t] - reference_log_probs[b, t])
        rewards[b, length - 1] += scores[b]
    return rewards


def gae(rewards, values, mask=None, *, gamma=1.0, lam=0.95):
    advantages, returns = torch.zeros(rewards.shape), torch.zeros(rewards.shape)
    for b in range(rewards.shape[0]):
        length = rewards.shape[1] if mask is None else int(mask[b].sum())
        for t in range(length):
            for step in range(t, length):
                after = values[b, step + 1] if step + 1 < length else 0.0
                delta = rewards[b, step] + gamma * after - values[b, step]
                advantages[b, t] += (gamma * lam) ** (step - t) * delta
            returns[b, t] = advantages[b, t] + values[b, t]
    return advantages, returns


def ppo_loss(log_probs, old_log_probs, advantages, mask=None, *, clip=0.2):
    kept = torch.ones(log_probs.shape) if mask is None else mask.float()
    ratio = torch.exp(log_probs - old_log_probs.detach())
    gain = advantages.detach()
    up, down = ratio.clamp(max=1 + clip), ratio.clamp(min=1 - clip)
    objective = torch.where(gain > 0, up, down) * gain
    return -(objective * kept).sum() / kept.sum().clamp(min=1)
