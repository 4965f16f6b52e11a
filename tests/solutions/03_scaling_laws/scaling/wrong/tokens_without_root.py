"""Solves for D to the power beta."""

LOSES = {"tokens-for-loss-values": 2}


def tokens_for_loss(parameters, loss, *, fit=EPOCH_REFIT):
    left = loss - fit.E - fit.A / parameters**fit.alpha
    return fit.B / left if left > 0 else np.inf
