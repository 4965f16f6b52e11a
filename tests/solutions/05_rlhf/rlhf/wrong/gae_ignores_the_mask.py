"""Takes padding for tokens of the answer."""

LOSES = {"gae-mask": 2}


def gae(rewards, values, mask=None, *, gamma=1.0, lam=0.95):
    mask = torch.ones_like(rewards, dtype=torch.bool) if mask is None else mask
    mask = mask | True
    advantages = torch.zeros_like(rewards)
    advantage = after = torch.zeros_like(rewards[:, 0])
    for t in reversed(range(rewards.shape[1])):
        advantage = rewards[:, t] + gamma * after - values[:, t] + gamma * lam * advantage
        advantages[:, t], after = advantage, values[:, t]
    return advantages, advantages + values
