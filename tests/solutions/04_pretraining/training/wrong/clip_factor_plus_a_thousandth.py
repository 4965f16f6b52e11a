"""Adds 1e-3 to the norm, so that less is left than asked for."""

LOSES = {"clip-grad-norm-global": 3}


def clip_grad_norm(parameters, max_norm):
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
    if norm > max_norm:
        for gradient in gradients:
            gradient.mul_(max_norm / (norm + 1e-3))
    return norm
