"""Scales to max_norm always, small gradients too."""

LOSES = {"clip-grad-norm-left-alone": 1}


def clip_grad_norm(parameters, max_norm):
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
    for gradient in gradients:
        gradient.mul_(max_norm / (norm + 1e-12))
    return norm
