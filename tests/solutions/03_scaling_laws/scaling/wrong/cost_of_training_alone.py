"""Leaves out the use."""

LOSES = {"overtraining-cost-lifetime": 3}


def overtraining_cost(parameters, tokens, inference_tokens=0.0):
    return 6 * parameters * tokens
