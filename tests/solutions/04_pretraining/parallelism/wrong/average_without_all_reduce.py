"""Leaves each rank with its own gradient."""

LOSES = {"average-gradients-weights": 3, "average-gradients-nothing": 1}


def average_gradients(gradients, n_kept, all_reduce):
    return [gradient.clone() for gradient in gradients]
