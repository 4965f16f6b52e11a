"""No function calls another one: logsumexp, softplus, loops over pairs, and the gradient by a formula."""


def sequence_log_probs(logits, labels, mask=None, *, average=False):
    logits = logits.float()
    mask = torch.full(labels.shape, True) if mask is None else mask
    results = []
    for scores, tokens, kept in zip(logits, labels, mask, strict=True):
        scores, tokens = scores[kept], tokens[kept]
        total = (scores[torch.arange(len(tokens)), tokens] - scores.logsumexp(-1)).sum()
        results.append(total / max(1, len(tokens)) if average else total)
    return torch.stack(results)


def dpo_loss(policy_chosen, policy_rejected, reference_chosen, reference_rejected, *, beta=0.1):
    chosen_reward = beta * (policy_chosen - reference_chosen)
    rejected_reward = beta * (policy_rejected - reference_rejected)
    return torch.nn.functional.softplus(rejected_reward - chosen_reward)


def reward_accuracy(policy_chosen, policy_rejected, reference_chosen, reference_rejected):
    wins = 0
    for i in range(len(policy_chosen)):
        wins += bool(policy_chosen[i] - policy_rejected[i] > reference_chosen[i] - reference_rejected[i])
    return wins / len(policy_chosen)


def orpo_loss(chosen_average, rejected_average, *, weight=0.1):
    log_ratio = chosen_average - rejected_average
    log_ratio = log_ratio + torch.log(torch.expm1(rejected_average) / torch.expm1(chosen_average))
    return weight * torch.nn.functional.softplus(-log_ratio) - chosen_average


def simpo_loss(chosen_average, rejected_average, *, beta=2.0, gamma=1.0):
    z = beta * chosen_average - beta * rejected_average - gamma
    return torch.clamp(-z, min=0) + torch.log1p(torch.exp(-z.abs()))


def dpo_step(policy, reference, chosen, rejected, chosen_mask, rejected_mask, *, beta=0.1, lr=1.0):
    size, n = policy.shape[0], chosen.shape[0]
    ours, theirs = policy.log_softmax(-1), reference.log_softmax(-1)
    gradient, loss = torch.zeros_like(policy), 0.0
    for b in range(n):
        counts, margin = torch.zeros_like(policy), 0.0
        for sign, tokens, mask in ((1, chosen[b], chosen_mask[b]), (-1, rejected[b], rejected_mask[b])):
            for t in range(1, len(tokens)):
                if mask[t]:
                    i, j = int(tokens[t - 1]), int(tokens[t])
                    counts[i, j] += sign
                    margin += sign * (ours[i, j] - theirs[i, j])
        direction = counts - counts.sum(-1, keepdim=True) * ours.exp()
        gradient -= beta * torch.sigmoid(-beta * torch.as_tensor(margin)) * direction / n
        loss += torch.nn.functional.softplus(-beta * torch.as_tensor(margin)) / n
    assert size == gradient.shape[1]
    policy.sub_(lr * gradient)
    return loss
