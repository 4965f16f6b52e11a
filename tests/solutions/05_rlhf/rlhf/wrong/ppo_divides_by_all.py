"""Divides by all tokens, padding among them."""

LOSES = {"ppo-loss-mask": 1}


def ppo_loss(log_probs, old_log_probs, advantages, mask=None, *, clip=0.2):
    mask = torch.ones_like(log_probs, dtype=torch.bool) if mask is None else mask
    ratio, gain = (log_probs - old_log_probs.detach()).exp(), advantages.detach()
    objective = torch.minimum(ratio * gain, ratio.clamp(1 - clip, 1 + clip) * gain)
    return -torch.where(mask, objective, 0.0).mean()
