"""Takes C = 2 N D, the forward pass alone."""

LOSES = {"compute-optimal-budget": 2, "compute-optimal-split": 4}


def compute_optimal(flops, *, fit=EPOCH_REFIT):
    budget = np.asarray(flops, dtype=np.float64) / 2
    parameters = (fit.alpha * fit.A / (fit.beta * fit.B) * budget**fit.beta) ** (1 / (fit.alpha + fit.beta))
    return parameters, budget / parameters
