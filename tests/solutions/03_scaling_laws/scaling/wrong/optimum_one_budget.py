"""Takes one number only."""

LOSES = {"compute-optimal-arrays": 1}


def compute_optimal(flops, *, fit=EPOCH_REFIT):
    budget = float(flops) / 6
    parameters = (fit.alpha * fit.A / (fit.beta * fit.B) * budget**fit.beta) ** (1 / (fit.alpha + fit.beta))
    return parameters, budget / parameters
