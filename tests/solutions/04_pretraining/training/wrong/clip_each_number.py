"""Clips each number to max_norm."""

LOSES = {"clip-grad-norm-global": 3}


def clip_grad_norm(parameters, max_norm):
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
    for gradient in gradients:
        gradient.clamp_(-max_norm, max_norm)
    return norm
