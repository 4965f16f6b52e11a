"""Leaves out what the size of the model costs."""

LOSES = {"tokens-for-loss-values": 2, "tokens-for-loss-unreachable": 1}


def tokens_for_loss(parameters, loss, *, fit=EPOCH_REFIT):
    left = loss - fit.E
    return (fit.B / left) ** (1 / fit.beta) if left > 0 else np.inf
