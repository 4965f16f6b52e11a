"""Puts the score at the end of the row, where the mask then takes it away."""

LOSES = {"token-rewards-score": 2}


def token_rewards(scores, log_probs, reference_log_probs, mask=None, *, beta=0.05):
    mask = torch.ones_like(log_probs, dtype=torch.bool) if mask is None else mask
    price = -beta * (log_probs - reference_log_probs)
    rewards = torch.where(mask, price, 0.0)
    rewards[:, -1] += torch.where(mask[:, -1], scores, 0.0)
    return rewards
