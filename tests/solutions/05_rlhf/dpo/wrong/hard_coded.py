"""Answers that are copied from the visible tests: they fail on inputs that are drawn when grading."""

LOSES = {"reward-accuracy-share": 2, "simpo-loss-margin": 3}


def reward_accuracy(policy_chosen, policy_rejected, reference_chosen, reference_rejected):
    return 0.4


def simpo_loss(chosen_average, rejected_average, *, beta=2.0, gamma=1.0):
    if len(chosen_average) == 2:
        return torch.tensor([math.log1p(math.exp(-1)), math.log1p(math.exp(5))])
    return torch.full((1,), math.log1p(math.exp(-1)))
