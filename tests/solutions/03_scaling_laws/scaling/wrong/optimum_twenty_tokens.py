"""Takes 20 tokens per parameter, whatever the law says."""

LOSES = {"compute-optimal-split": 4}


def compute_optimal(flops, *, fit=EPOCH_REFIT):
    budget = np.asarray(flops, dtype=np.float64) / 6
    parameters = (budget / 20) ** 0.5
    return parameters, budget / parameters
