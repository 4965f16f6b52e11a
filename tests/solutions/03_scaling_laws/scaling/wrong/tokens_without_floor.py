"""Leaves out E."""

LOSES = {"tokens-for-loss-values": 2, "tokens-for-loss-unreachable": 1}


def tokens_for_loss(parameters, loss, *, fit=EPOCH_REFIT):
    left = loss - fit.A / parameters**fit.alpha
    return (fit.B / left) ** (1 / fit.beta) if left > 0 else np.inf
