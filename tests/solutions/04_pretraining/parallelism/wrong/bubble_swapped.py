"""Has stages and micro-batches in each other's place."""

LOSES = {"bubble-fraction-values": 2}


def bubble_fraction(n_stages, n_microbatches):
    return (n_microbatches - 1) / (n_microbatches + n_stages - 1)
