"""Adds gradients up in place of averaging them."""

LOSES = {"average-gradients-weights": 3}


def average_gradients(gradients, n_kept, all_reduce):
    return all_reduce(gradients)
