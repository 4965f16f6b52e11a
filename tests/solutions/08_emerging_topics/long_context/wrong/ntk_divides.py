"""Divides the base."""

LOSES = {"ntk-scaled-theta-values": 2}


def ntk_scaled_theta(theta, scale, head_dim):
    return theta / scale ** (head_dim / (head_dim - 2))
