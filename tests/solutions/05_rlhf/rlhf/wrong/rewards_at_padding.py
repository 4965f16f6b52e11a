"""Lets padding cost as well."""

LOSES = {"token-rewards-mask": 1}


def token_rewards(scores, log_probs, reference_log_probs, mask=None, *, beta=0.05):
    mask = torch.ones_like(log_probs, dtype=torch.bool) if mask is None else mask
    price = -beta * (log_probs - reference_log_probs)
    rewards = price.clone()
    rewards[torch.arange(len(scores)), mask.sum(-1) - 1] += scores
    return rewards
