"""Weighs by labels, and divides by nothing."""

LOSES = {"average-gradients-weights": 3, "average-gradients-nothing": 1}


def average_gradients(gradients, n_kept, all_reduce):
    return all_reduce([kept * gradient for kept, gradient in zip(n_kept, gradients, strict=True)])
