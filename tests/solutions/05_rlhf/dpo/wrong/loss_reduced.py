"""Returns the mean over pairs."""

LOSES = {"dpo-loss-values": 3, "dpo-loss-stable": 2}


def dpo_loss(policy_chosen, policy_rejected, reference_chosen, reference_rejected, *, beta=0.1):
    policy, reference = policy_chosen - policy_rejected, reference_chosen - reference_rejected
    return -torch.nn.functional.logsigmoid(beta * (policy - reference)).mean()
