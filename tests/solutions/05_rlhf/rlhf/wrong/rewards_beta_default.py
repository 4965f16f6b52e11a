"""Has another price where none is given."""

LOSES = {"token-rewards-kl": 2}


def token_rewards(scores, log_probs, reference_log_probs, mask=None, *, beta=0.1):
    mask = torch.ones_like(log_probs, dtype=torch.bool) if mask is None else mask
    price = -beta * (log_probs - reference_log_probs)
    rewards = torch.where(mask, price, 0.0)
    rewards[torch.arange(len(scores)), mask.sum(-1) - 1] += scores
    return rewards
