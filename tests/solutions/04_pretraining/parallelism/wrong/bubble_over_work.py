"""Divides by the slots of work: (p - 1) / m."""

LOSES = {"bubble-fraction-values": 2}


def bubble_fraction(n_stages, n_microbatches):
    return (n_stages - 1) / n_microbatches
