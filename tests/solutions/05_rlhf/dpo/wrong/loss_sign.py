"""Returns the log of the sigmoid, without the minus."""

LOSES = {
    "dpo-loss-values": 3,
    "dpo-loss-stable": 2,
    "dpo-step-direction": 3,
    "dpo-step-answers": 2,
    "dpo-step-reference": 1,
}


def dpo_loss(policy_chosen, policy_rejected, reference_chosen, reference_rejected, *, beta=0.1):
    policy, reference = policy_chosen - policy_rejected, reference_chosen - reference_rejected
    return torch.nn.functional.logsigmoid(beta * (policy - reference))
