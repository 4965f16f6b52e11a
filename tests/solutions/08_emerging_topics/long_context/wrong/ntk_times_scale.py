"""Multiplies the base with the scale."""

LOSES = {"ntk-scaled-theta-values": 2}


def ntk_scaled_theta(theta, scale, head_dim):
    return theta * scale
