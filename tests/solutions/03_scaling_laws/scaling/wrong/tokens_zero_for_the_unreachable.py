"""Returns 0 for a model that is too small."""

LOSES = {"tokens-for-loss-unreachable": 1}


def tokens_for_loss(parameters, loss, *, fit=EPOCH_REFIT):
    left = loss - fit.E - fit.A / parameters**fit.alpha
    return (fit.B / left) ** (1 / fit.beta) if left > 0 else 0.0
