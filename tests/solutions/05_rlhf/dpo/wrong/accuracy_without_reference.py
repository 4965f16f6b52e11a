"""Compares the policy's probabilities alone."""

LOSES = {"reward-accuracy-share": 2}


def reward_accuracy(policy_chosen, policy_rejected, reference_chosen, reference_rejected):
    return float((policy_chosen > policy_rejected).float().mean())
