"""Keeps keys as they come, and rotates the new ones for this step alone."""

LOSES = {"attention-step-kept": 2, "attention-step-pieces": 3}


def attention_step(q, k, v, past_keys, past_values, start):
    positions = torch.arange(start, start + q.shape[2])
    keys = torch.cat([past_keys, apply_rope(k, positions)], dim=2)
    values = torch.cat([past_values, v], dim=2)
    places = positions.expand(q.shape[0], -1), torch.arange(keys.shape[2]).expand(q.shape[0], -1)
    return cached_attention(apply_rope(q, positions), keys, values, *places), torch.cat([past_keys, k], dim=2), values
