"""Takes the number of pairs for d."""

LOSES = {"ntk-scaled-theta-values": 2}


def ntk_scaled_theta(theta, scale, head_dim):
    return theta * scale ** ((head_dim // 2) / max(head_dim // 2 - 2, 1))
