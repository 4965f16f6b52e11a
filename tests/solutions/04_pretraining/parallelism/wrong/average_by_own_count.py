"""Divides each rank's sum by its own number of labels."""

LOSES = {"average-gradients-weights": 3, "average-gradients-nothing": 1}


def average_gradients(gradients, n_kept, all_reduce):
    totals = all_reduce([kept * gradient for kept, gradient in zip(n_kept, gradients, strict=True)])
    return [total / max(1, kept) for total, kept in zip(totals, n_kept, strict=True)]
