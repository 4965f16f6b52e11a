"""Divides 0 by 0 where no label counts."""

LOSES = {"average-gradients-nothing": 1}


def average_gradients(gradients, n_kept, all_reduce):
    totals = all_reduce([kept * gradient for kept, gradient in zip(n_kept, gradients, strict=True)])
    counts = all_reduce([torch.tensor(float(kept)) for kept in n_kept])
    return [total / count for total, count in zip(totals, counts, strict=True)]
