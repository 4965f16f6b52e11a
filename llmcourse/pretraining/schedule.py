"""The learning rate over a run: a linear warm-up, then half a cosine."""

import math

__all__ = ["cosine_schedule"]


def cosine_schedule(step: int, *, max_lr: float, min_lr: float, warmup_steps: int, total_steps: int) -> float:
    r"""Return the learning rate at a step.

    Loshchilov & Hutter 2016 (arXiv:1608.03983) without restarts, after a linear warm-up. Hoffmann et al. 2022
    (arXiv:2203.15556) found that the cosine has to end where training does: a run stopped half-way is worse than one
    whose schedule was half as long.

    Args:
        step: From 0, where the rate is 0.
        max_lr: The rate at ``warmup_steps``.
        min_lr: The rate at ``total_steps`` and after.
        warmup_steps: How many steps the rate rises; 0 for none.
        total_steps: How many steps there are.

    Returns:
        A rate.

    Raises:
        ValueError: The numbers are out of order; quotes them.

    Example:
        >>> sizes = dict(max_lr=1.0, min_lr=0.1, warmup_steps=10, total_steps=110)
        >>> [round(cosine_schedule(step, **sizes), 3) for step in (0, 5, 10, 60, 110, 1000)]
        [0.0, 0.5, 1.0, 0.55, 0.1, 0.1]
    """
    if not 0 <= warmup_steps <= total_steps:
        raise ValueError(f"warmup_steps is {warmup_steps} of total_steps {total_steps}: it is from 0 to that")
    if not 0 <= min_lr <= max_lr:
        raise ValueError(f"min_lr is {min_lr} and max_lr {max_lr}: it is from 0 to that")
    if step < 0:
        raise ValueError(f"step is {step}: steps count from 0")
    if step < warmup_steps:
        return max_lr * step / warmup_steps
    if step >= total_steps:
        # Where the warm-up is the whole run, its last step is the maximum that was promised there.
        return max_lr if step == warmup_steps else min_lr
    progress = (step - warmup_steps) / (total_steps - warmup_steps)
    return min_lr + (max_lr - min_lr) * 0.5 * (1 + math.cos(math.pi * progress))
