"""Has each position predict its own token."""

LOSES = {"dpo-step-direction": 3, "dpo-step-answers": 2, "dpo-step-reference": 1}


def dpo_step(policy, reference, chosen, rejected, chosen_mask, rejected_mask, *, beta=0.1, lr=1.0):
    leaf = policy.clone().requires_grad_()

    def log_probs(table, tokens, mask):
        logits, labels, mask = table[tokens], tokens, mask
        picked = logits.log_softmax(-1).gather(-1, labels[..., None])[..., 0]
        return (picked * mask).sum(-1)

    chosen_gain = log_probs(leaf, chosen, chosen_mask) - log_probs(reference, chosen, chosen_mask)
    rejected_gain = log_probs(leaf, rejected, rejected_mask) - log_probs(reference, rejected, rejected_mask)
    loss = -torch.nn.functional.logsigmoid(beta * (chosen_gain - rejected_gain)).mean()
    (gradient,) = torch.autograd.grad(loss, leaf)
    policy -= lr * gradient
    return loss.detach()
