"""Returns the share of work."""

LOSES = {"bubble-fraction-values": 2}


def bubble_fraction(n_stages, n_microbatches):
    return n_microbatches / (n_microbatches + n_stages - 1)
