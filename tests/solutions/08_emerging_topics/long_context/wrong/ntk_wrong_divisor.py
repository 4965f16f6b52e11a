"""Divides by d - 1."""

LOSES = {"ntk-scaled-theta-values": 2}


def ntk_scaled_theta(theta, scale, head_dim):
    return theta * scale ** (head_dim / (head_dim - 1))
