"""Adds up the tensors' norms."""

LOSES = {"clip-grad-norm-global": 3, "clip-grad-norm-left-alone": 1}


def clip_grad_norm(parameters, max_norm):
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = sum(gradient.norm() for gradient in gradients)
    if norm > max_norm:
        for gradient in gradients:
            gradient.mul_(max_norm / norm)
    return norm
