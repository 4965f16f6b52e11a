"""Clamps the sigmoid, so that the gradient is lost."""

LOSES = {"dpo-loss-stable": 2}


def dpo_loss(policy_chosen, policy_rejected, reference_chosen, reference_rejected, *, beta=0.1):
    policy, reference = policy_chosen - policy_rejected, reference_chosen - reference_rejected
    return -torch.log(torch.sigmoid(beta * (policy - reference)).clamp(min=1e-8))
