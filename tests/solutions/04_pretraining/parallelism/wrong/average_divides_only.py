"""Divides by all labels, and does not weigh by them."""

LOSES = {"average-gradients-weights": 3, "average-gradients-nothing": 1}


def average_gradients(gradients, n_kept, all_reduce):
    return [total / max(1, sum(n_kept)) for total in all_reduce(gradients)]
