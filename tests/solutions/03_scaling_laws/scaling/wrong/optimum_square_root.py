"""Lets N and D grow alike, with the ratio of Chinchilla's budget."""

LOSES = {"compute-optimal-split": 4}


def compute_optimal(flops, *, fit=EPOCH_REFIT):
    budget = np.asarray(flops, dtype=np.float64) / 6
    parameters = (budget / 18.4) ** 0.5
    return parameters, budget / parameters
