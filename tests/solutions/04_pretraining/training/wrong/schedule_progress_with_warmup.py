"""Counts the warm-up into the progress of the fall."""

LOSES = {"cosine-schedule-warmup": 2, "cosine-schedule-cosine": 2}


def cosine_schedule(step, *, max_lr, min_lr, warmup_steps, total_steps):
    if step < warmup_steps:
        return max_lr * step / warmup_steps
    progress = min(1.0, step / total_steps)
    return min_lr + (max_lr - min_lr) * (1 + math.cos(math.pi * progress)) / 2
