"""Weighs by labels, and divides by the number of ranks."""

LOSES = {"average-gradients-weights": 3, "average-gradients-nothing": 1}


def average_gradients(gradients, n_kept, all_reduce):
    totals = all_reduce([kept * gradient for kept, gradient in zip(n_kept, gradients, strict=True)])
    return [total / len(gradients) for total in totals]
