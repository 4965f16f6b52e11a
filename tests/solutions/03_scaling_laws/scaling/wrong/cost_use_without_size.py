"""Takes 2 FLOP for a token that is served, whatever the model."""

LOSES = {"overtraining-cost-lifetime": 3}


def overtraining_cost(parameters, tokens, inference_tokens=0.0):
    return 6 * parameters * tokens + 2 * inference_tokens
