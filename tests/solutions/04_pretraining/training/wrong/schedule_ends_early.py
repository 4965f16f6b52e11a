"""Reaches min_lr at the last step that is made, total_steps - 1."""

LOSES = {"cosine-schedule-cosine": 2}


def cosine_schedule(step, *, max_lr, min_lr, warmup_steps, total_steps):
    if step < warmup_steps:
        return max_lr * step / warmup_steps
    progress = min(1.0, (step - warmup_steps) / max(1, total_steps - 1 - warmup_steps))
    return min_lr + (max_lr - min_lr) * (1 + math.cos(math.pi * progress)) / 2
