"""Decays by weight_decay, not by lr times that."""

LOSES = {"adamw-step-decay": 2}


def adamw_step(parameter, gradient, exp_avg, exp_avg_sq, step, *, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    parameter.mul_(1 - weight_decay)
    exp_avg.mul_(betas[0]).add_(gradient, alpha=1 - betas[0])
    exp_avg_sq.mul_(betas[1]).add_(gradient**2, alpha=1 - betas[1])
    m, v = exp_avg / (1 - betas[0] ** step), exp_avg_sq / (1 - betas[1] ** step)
    parameter -= lr * m / (v.sqrt() + eps)
