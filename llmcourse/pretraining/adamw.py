"""AdamW: Adam whose weight decay is no part of the gradient."""

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["adamw_step"]


@torch.no_grad()
def adamw_step(
    parameter: Float[Tensor, "*S"],
    gradient: Float[Tensor, "*S"],
    exp_avg: Float[Tensor, "*S"],
    exp_avg_sq: Float[Tensor, "*S"],
    step: int,
    *,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> None:
    r"""Make one step of AdamW on one tensor, in place.

    Loshchilov & Hutter 2017 (arXiv:1711.05101), algorithm 2; the paper's m, v and t are ``exp_avg``, ``exp_avg_sq`` and
    ``step``. As in torch, the decay is scaled by the learning rate, so that it fades as the schedule does.

    Args:
        parameter: The weights, changed.
        gradient: Of the loss, with respect to them.
        exp_avg: The running average of gradients, 0 before the first step; changed.
        exp_avg_sq: The running average of their squares, 0 before the first step; changed.
        step: Which step this is, from 1.
        lr: The learning rate.
        betas: How much of each average stays at a step.
        eps: Added to the root of the corrected squares.
        weight_decay: Which part of the weights goes at a step, times ``lr``.

    Raises:
        ValueError: ``step`` is less than 1, which would divide by 0.

    Cost: four tensors read and three written a weight, and a dozen operations: memory is what takes the time.

    Example:
        >>> weights, m, v = torch.ones(2), torch.zeros(2), torch.zeros(2)
        >>> adamw_step(weights, torch.tensor([5.0, -0.1]), m, v, 1, lr=0.1, weight_decay=0.0)
        >>> weights
        tensor([0.9000, 1.1000])
    """
    if step < 1:
        raise ValueError(f"step is {step}: steps count from 1, since averages are divided by 1 - beta ** step")
    beta1, beta2 = betas
    parameter.mul_(1 - lr * weight_decay)
    exp_avg.lerp_(gradient, 1 - beta1)
    exp_avg_sq.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
    denominator = (exp_avg_sq / (1 - beta2**step)).sqrt_().add_(eps)
    parameter.addcdiv_(exp_avg, denominator, value=-lr / (1 - beta1**step))
