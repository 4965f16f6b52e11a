"""Does not expect a parameter without a gradient."""

LOSES = {"clip-grad-norm-left-alone": 1}


def clip_grad_norm(parameters, max_norm):
    gradients = [parameter.grad for parameter in parameters]
    norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
    if norm > max_norm:
        for gradient in gradients:
            gradient.mul_(max_norm / norm)
    return norm
