"""Makes new averages, so that each step starts from nothing."""

LOSES = {"adamw-step-first": 3, "adamw-step-more": 1, "adamw-step-decay": 2}


def adamw_step(parameter, gradient, exp_avg, exp_avg_sq, step, *, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    parameter.mul_(1 - lr * weight_decay)
    exp_avg = betas[0] * exp_avg + (1 - betas[0]) * gradient
    exp_avg_sq = betas[1] * exp_avg_sq + (1 - betas[1]) * gradient**2
    m, v = exp_avg / (1 - betas[0] ** step), exp_avg_sq / (1 - betas[1] ** step)
    parameter -= lr * m / (v.sqrt() + eps)
