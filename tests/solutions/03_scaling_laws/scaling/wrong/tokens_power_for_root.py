"""Raises to beta in place of taking the root."""

LOSES = {"tokens-for-loss-values": 2}


def tokens_for_loss(parameters, loss, *, fit=EPOCH_REFIT):
    left = loss - fit.E - fit.A / parameters**fit.alpha
    return (fit.B / left) ** fit.beta if left > 0 else np.inf
