"""Goes from the first token on."""

LOSES = {"gae-values": 3}


def gae(rewards, values, mask=None, *, gamma=1.0, lam=0.95):
    mask = torch.ones_like(rewards, dtype=torch.bool) if mask is None else mask
    rewards, values = torch.where(mask, rewards, 0.0), torch.where(mask, values, 0.0)
    after = torch.cat([values[:, 1:], torch.zeros_like(values[:, :1])], dim=1)
    deltas = rewards + gamma * after - values
    advantages, advantage = torch.zeros_like(rewards), torch.zeros_like(rewards[:, 0])
    for t in range(rewards.shape[1]):
        advantage = deltas[:, t] + gamma * lam * advantage
        advantages[:, t] = advantage
    advantages = torch.where(mask, advantages, 0.0)
    return advantages, advantages + values
