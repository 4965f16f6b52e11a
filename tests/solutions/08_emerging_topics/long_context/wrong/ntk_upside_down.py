"""Has the exponent upside down."""

LOSES = {"ntk-scaled-theta-values": 2}


def ntk_scaled_theta(theta, scale, head_dim):
    return theta * scale ** ((head_dim - 2) / head_dim)
