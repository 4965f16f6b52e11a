"""Clipping gradients by their global norm."""

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["clip_grad_norm"]


@torch.no_grad()
def clip_grad_norm(parameters: Tensor | Iterable[Tensor], max_norm: float) -> Float[Tensor, ""]:
    r"""Scale all gradients by one factor so that their joint norm is at most ``max_norm``.

    Pascanu et al. 2012 (arXiv:1211.5063). The norm is over all parameters together, so that the direction of the step
    stays as it is; clipping each parameter by itself would turn it. Clip after gradients have been synchronised between
    devices and unscaled, once for each step of the optimizer.

    Args:
        parameters: Whose gradients to clip, in place; those that have none are left out.
        max_norm: The greatest norm that is left.

    Returns:
        The norm before clipping. If it is not finite, the gradients are not usable after clipping either: look at it
        before the optimizer steps.

    Raises:
        ValueError: max_norm is not positive.

    Cost: two passes over the gradients, and no synchronisation with the device.

    Example:
        >>> weight = torch.nn.Parameter(torch.zeros(2))
        >>> weight.grad = torch.tensor([3.0, 4.0])
        >>> float(clip_grad_norm([weight], 1.0)), weight.grad
        (5.0, tensor([0.6000, 0.8000]))
    """
    if not max_norm > 0:
        raise ValueError(f"max_norm is {max_norm}: it has to be greater than 0")
    parameters = [parameters] if isinstance(parameters, Tensor) else parameters
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if not gradients:
        return torch.zeros(())
    # Squares of bf16 gradients would lose what small parameters add; their norms are summed in fp32.
    device = gradients[0].device
    norms = [torch.linalg.vector_norm(gradient, dtype=torch.float32).to(device) for gradient in gradients]
    norm = torch.linalg.vector_norm(torch.stack(norms))
    factor = (max_norm / norm).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(factor.to(gradient.device, gradient.dtype))
    return norm
