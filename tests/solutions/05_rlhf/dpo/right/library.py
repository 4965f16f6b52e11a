"""By what PyTorch has: its cross-entropy, its binary cross-entropy, its optimizer, functions that call each other."""


def sequence_log_probs(logits, labels, mask=None, *, average=False):
    if mask is not None:
        labels = labels.masked_fill(~mask, -100)
    losses = torch.nn.functional.cross_entropy(
        logits.float().transpose(1, 2), labels, ignore_index=-100, reduction="none"
    )
    counts = (labels != -100).sum(1).clamp(min=1) if average else 1
    return -losses.sum(1) / counts


def dpo_loss(policy_chosen, policy_rejected, reference_chosen, reference_rejected, *, beta=0.1):
    z = beta * ((policy_chosen - policy_rejected) - (reference_chosen - reference_rejected))
    return torch.nn.functional.binary_cross_entropy_with_logits(z, torch.ones_like(z), reduction="none")


def reward_accuracy(policy_chosen, policy_rejected, reference_chosen, reference_rejected):
    margin = (policy_chosen - reference_chosen) - (policy_rejected - reference_rejected)
    return (margin > 0).double().mean().item()


def orpo_loss(chosen_average, rejected_average, *, weight=0.1):
    a, b = (average.double() for average in (chosen_average, rejected_average))
    z = (a - torch.log(-torch.expm1(a))) - (b - torch.log(-torch.expm1(b)))
    return (-a - weight * torch.nn.functional.logsigmoid(z)).float()


def simpo_loss(chosen_average, rejected_average, *, beta=2.0, gamma=1.0):
    still = torch.zeros_like(chosen_average)
    return dpo_loss(chosen_average, rejected_average, still + gamma / beta, still, beta=beta)


def dpo_step(policy, reference, chosen, rejected, chosen_mask, rejected_mask, *, beta=0.1, lr=1.0):
    table = torch.nn.Parameter(policy.clone())
    optimizer = torch.optim.SGD([table], lr=lr)
    tokens, mask = torch.cat([chosen, rejected]), torch.cat([chosen_mask, rejected_mask])
    inputs, labels, mask = tokens[:, :-1], tokens[:, 1:], mask[:, 1:]
    ours = sequence_log_probs(table[inputs], labels, mask).chunk(2)
    theirs = sequence_log_probs(reference[inputs], labels, mask).chunk(2)
    loss = dpo_loss(*ours, *theirs, beta=beta).mean()
    loss.backward()
    optimizer.step()
    policy.copy_(table.detach())
    return loss.item()
