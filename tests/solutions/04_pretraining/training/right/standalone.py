"""No function calls another one: log_softmax, case by case, foreach, moments by hand, and loops."""


def cross_entropy(logits, labels, mask=None):
    losses = -torch.log_softmax(logits.float(), dim=-1)
    losses = losses.gather(-1, labels.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    if mask is None:
        return losses.mean()
    return torch.where(mask, losses, 0.0).sum() / mask.sum().clamp(min=1)


def cosine_schedule(step, *, max_lr, min_lr, warmup_steps, total_steps):
    if warmup_steps > 0 and step <= warmup_steps:
        return step / warmup_steps * max_lr
    if step >= total_steps:
        return min_lr
    half_angle = math.pi / 2 * (step - warmup_steps) / (total_steps - warmup_steps)
    return max_lr * math.cos(half_angle) ** 2 + min_lr * math.sin(half_angle) ** 2


def clip_grad_norm(parameters, max_norm):
    squares = sum(float(p.grad.double().square().sum()) for p in parameters if p.grad is not None)
    norm = math.sqrt(squares)
    factor = 1.0 if norm <= max_norm else max_norm / norm
    for p in parameters:
        if p.grad is not None:
            p.grad = p.grad * factor
    return norm


def adamw_step(parameter, gradient, exp_avg, exp_avg_sq, step, *, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    exp_avg.lerp_(gradient, 1 - betas[0])
    exp_avg_sq.copy_(betas[1] * exp_avg_sq + (1 - betas[1]) * gradient * gradient)
    direction = exp_avg / (1 - betas[0] ** step) / (torch.sqrt(exp_avg_sq / (1 - betas[1] ** step)) + eps)
    parameter.copy_(parameter - lr * (direction + weight_decay * parameter))


def minhash_signature(shingles, multipliers, offsets):
    signature = np.full(len(multipliers), PRIME)
    for shingle in shingles:
        signature = np.minimum(signature, (multipliers * shingle + offsets) % PRIME)
    return signature


def band_probability(similarity, *, n_bands, rows_per_band):
    no_band = 1.0
    for _ in range(n_bands):
        no_band *= 1.0 - similarity**rows_per_band
    return 1.0 - no_band
