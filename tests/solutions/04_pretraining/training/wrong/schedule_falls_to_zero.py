"""Falls to 0 in place of min_lr."""

LOSES = {"cosine-schedule-cosine": 2}


def cosine_schedule(step, *, max_lr, min_lr, warmup_steps, total_steps):
    if step < warmup_steps:
        return max_lr * step / warmup_steps
    progress = min(1.0, (step - warmup_steps) / (total_steps - warmup_steps))
    return max_lr * (1 + math.cos(math.pi * progress)) / 2
