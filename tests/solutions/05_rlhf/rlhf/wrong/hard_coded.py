"""Answers that are copied from the visible tests: they fail on inputs that are drawn when grading."""

LOSES = {"token-rewards-kl": 2, "token-rewards-score": 2, "token-rewards-mask": 1}


def token_rewards(scores, log_probs, reference_log_probs, mask=None, *, beta=0.05):
    if log_probs.shape == (1, 2):
        return torch.tensor([[-0.05, 0.1]])
    if log_probs.shape == (2, 3):
        return torch.tensor([[0.0, 5.0, 0.0], [0.0, 0.0, 7.0]])
    return torch.tensor([[-0.05, 0.1, 0.0, 0.0]])
