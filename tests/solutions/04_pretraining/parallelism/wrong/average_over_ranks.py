"""Takes the mean over ranks, whatever their numbers of labels."""

LOSES = {"average-gradients-weights": 3, "average-gradients-nothing": 1}


def average_gradients(gradients, n_kept, all_reduce):
    return [total / len(gradients) for total in all_reduce(gradients)]
