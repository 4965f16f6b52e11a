"""Raises the base to the power, too."""

LOSES = {"ntk-scaled-theta-values": 2, "ntk-scaled-theta-edges": 1}


def ntk_scaled_theta(theta, scale, head_dim):
    return (theta * scale) ** (head_dim / (head_dim - 2))
