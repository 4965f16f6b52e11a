"""Divides by one step less, so that max_lr comes a step early."""

LOSES = {"cosine-schedule-warmup": 2}


def cosine_schedule(step, *, max_lr, min_lr, warmup_steps, total_steps):
    if step < warmup_steps:
        return max_lr * step / (warmup_steps - 1)
    progress = min(1.0, (step - warmup_steps) / (total_steps - warmup_steps))
    return min_lr + (max_lr - min_lr) * (1 + math.cos(math.pi * progress)) / 2
