"""Lets N grow with alpha / (alpha + beta) in place of beta / (alpha + beta)."""

LOSES = {"compute-optimal-split": 4}


def compute_optimal(flops, *, fit=EPOCH_REFIT):
    budget = np.asarray(flops, dtype=np.float64) / 6
    parameters = (fit.alpha * fit.A / (fit.beta * fit.B) * budget**fit.alpha) ** (1 / (fit.alpha + fit.beta))
    return parameters, budget / parameters
