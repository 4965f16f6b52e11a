"""Counts ties."""

LOSES = {"reward-accuracy-share": 2}


def reward_accuracy(policy_chosen, policy_rejected, reference_chosen, reference_rejected):
    chosen, rejected = policy_chosen - reference_chosen, policy_rejected - reference_rejected
    return float((chosen >= rejected).float().mean())
