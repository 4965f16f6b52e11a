"""Falls from max_lr at step 0 on."""

LOSES = {"cosine-schedule-warmup": 2, "cosine-schedule-cosine": 2}


def cosine_schedule(step, *, max_lr, min_lr, warmup_steps, total_steps):
    if step < 0:
        return max_lr
    progress = min(1.0, step / total_steps)
    return min_lr + (max_lr - min_lr) * (1 + math.cos(math.pi * progress)) / 2
