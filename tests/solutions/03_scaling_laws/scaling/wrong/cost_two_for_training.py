"""Takes 2 N for a token of training."""

LOSES = {"overtraining-cost-lifetime": 3}


def overtraining_cost(parameters, tokens, inference_tokens=0.0):
    return 2 * parameters * (tokens + inference_tokens)
