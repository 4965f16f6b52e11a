"""The learning rate over a run: a linear warm-up, then half a cosine, or a level stretch and a short decay."""

import math

__all__ = ["cosine_schedule", "wsd_schedule"]


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
    _check(step, max_lr, min_lr, warmup_steps, total_steps)
    if step < warmup_steps:
        return max_lr * step / warmup_steps
    if step >= total_steps:
        # Where the warm-up is the whole run, its last step is the maximum that was promised there.
        return max_lr if step == warmup_steps else min_lr
    progress = (step - warmup_steps) / (total_steps - warmup_steps)
    return min_lr + (max_lr - min_lr) * 0.5 * (1 + math.cos(math.pi * progress))


def wsd_schedule(
    step: int, *, max_lr: float, min_lr: float, warmup_steps: int, decay_steps: int, total_steps: int
) -> float:
    r"""Return the learning rate of warm-up, stable, decay at a step.

    Hu et al. 2024 (MiniCPM, arXiv:2404.06395). Until the decay begins the rate knows nothing of where the run ends, so
    that one run can be continued, or finished from any of its checkpoints, where a cosine has to be begun again. The
    decay here is linear; Hägele et al. 2024 (arXiv:2405.18392) found a fifth of the run to be enough for it.

    Args:
        step: From 0, where the rate is 0 if there is a warm-up.
        max_lr: The rate from ``warmup_steps`` until the decay begins.
        min_lr: The rate at ``total_steps`` and after; without a decay, only after.
        warmup_steps: How many steps the rate rises; 0 for none.
        decay_steps: How many steps it falls, at the end; 0 for none.
        total_steps: How many steps there are.

    Returns:
        A rate.

    Raises:
        ValueError: The numbers are out of order; quotes them.

    Example:
        >>> sizes = dict(max_lr=1.0, min_lr=0.0, warmup_steps=10, decay_steps=20, total_steps=100)
        >>> [round(wsd_schedule(step, **sizes), 3) for step in (0, 5, 10, 80, 90, 100, 1000)]
        [0.0, 0.5, 1.0, 1.0, 0.5, 0.0, 0.0]
    """
    _check(step, max_lr, min_lr, warmup_steps, total_steps)
    if not 0 <= decay_steps <= total_steps - warmup_steps:
        left = total_steps - warmup_steps
        raise ValueError(f"decay_steps is {decay_steps}: after the warm-up there are {left} steps, so from 0 to {left}")
    if step < warmup_steps:
        return max_lr * step / warmup_steps
    left = total_steps - step
    if left < 0:
        return min_lr
    return max_lr if left >= decay_steps else min_lr + (max_lr - min_lr) * left / decay_steps


def _check(step: int, max_lr: float, min_lr: float, warmup_steps: int, total_steps: int) -> None:
    if not 0 <= warmup_steps <= total_steps:
        raise ValueError(f"warmup_steps is {warmup_steps} of total_steps {total_steps}: it is from 0 to that")
    if not 0 <= min_lr <= max_lr:
        raise ValueError(f"min_lr is {min_lr} and max_lr {max_lr}: it is from 0 to that")
    if step < 0:
        raise ValueError(f"step is {step}: steps count from 0")
