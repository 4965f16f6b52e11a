"""Divides 0 by 0 where all gradients are 0."""

LOSES = {"clip-grad-norm-left-alone": 1}


def clip_grad_norm(parameters, max_norm):
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
    factor = max_norm / norm
    for gradient in gradients:
        gradient.mul_(factor if factor < 1 else norm / norm)
    return norm
