"""By what PyTorch has: sums of its losses, fused operations, integers of Python's in MinHash."""


def cross_entropy(logits, labels, mask=None):
    if mask is not None:
        labels = torch.where(mask, labels, -1)
    scores, labels = logits.float().reshape(-1, logits.shape[-1]), labels.reshape(-1)
    total = torch.nn.functional.cross_entropy(scores, labels, ignore_index=-1, reduction="sum")
    return total / max(1, int((labels >= 0).sum()))


def cosine_schedule(step, *, max_lr, min_lr, warmup_steps, total_steps):
    rise = step / max(1, warmup_steps)
    if rise < 1 and warmup_steps:
        return rise * max_lr
    p = np.clip((step - warmup_steps) / (total_steps - warmup_steps), 0, 1)
    return float(min_lr + 0.5 * (max_lr - min_lr) * (1 + np.cos(np.pi * p)))


def clip_grad_norm(parameters, max_norm):
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in gradients]))
    torch._foreach_mul_(gradients, float((max_norm / norm).clamp(max=1.0)))
    return norm


def adamw_step(parameter, gradient, exp_avg, exp_avg_sq, step, *, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    beta1, beta2 = betas
    parameter *= 1 - lr * weight_decay
    exp_avg += (1 - beta1) * (gradient - exp_avg)
    exp_avg_sq.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
    denominator = exp_avg_sq.sqrt() / math.sqrt(1 - beta2**step) + eps
    parameter.addcdiv_(exp_avg, denominator, value=-lr / (1 - beta1**step))


def minhash_signature(shingles, multipliers, offsets):
    pairs = zip(multipliers.tolist(), offsets.tolist(), strict=True)
    return np.array([min([(a * x + c) % PRIME for x in shingles.tolist()], default=PRIME) for a, c in pairs])


def band_probability(similarity, *, n_bands, rows_per_band):
    return float(-np.expm1(n_bands * np.log1p(-(similarity**rows_per_band)))) if similarity < 1 else 1.0
