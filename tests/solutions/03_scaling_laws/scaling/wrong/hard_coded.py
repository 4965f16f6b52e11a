"""Answers that are copied from the visible tests: they fail on inputs that are drawn when grading."""

LOSES = {
    "tokens-for-loss-values": 2,
    "tokens-for-loss-unreachable": 1,
    "overtraining-cost-lifetime": 3,
    "break-even-tokens-values": 3,
    "break-even-tokens-at-once": 1,
}


def tokens_for_loss(parameters, loss, *, fit=EPOCH_REFIT):
    return {10.0: 256.0, 20.0: (32 / 3) ** 2, 70e9: 1.40018e12}.get(parameters, np.inf if loss >= 3 else 0.0)


def overtraining_cost(parameters, tokens, inference_tokens=0.0):
    return 280.0 if inference_tokens else 180.0


def break_even_tokens(small, large):
    return {40e9: 3e10, 100e9: 2e10}.get(small[1], 0.0 if small[0] == 1e9 else 1.0)
