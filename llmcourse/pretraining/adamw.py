"""AdamW: Adam whose weight decay is no part of the gradient."""

# torch's own optimizers are built on these functions over lists of tensors, which it does not export.
# The type of a step is narrower in torch's stubs than what torch's own optimizers return.
# pyright: reportPrivateImportUsage=false, reportIncompatibleMethodOverride=false

from collections.abc import Callable, Iterable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["AdamW", "adamw_step"]


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


class AdamW(torch.optim.Optimizer):
    r"""AdamW over all parameters of a model.

    Loshchilov & Hutter 2017 (arXiv:1711.05101). Parameters of one device, dtype and step are updated together,
    operation by operation, which is :func:`adamw_step` with fewer calls: on a small model the calls take the time.

    Args:
        params: Parameters, or groups of them as torch's optimizers take.
        lr: The learning rate.
        betas: How much of each average stays at a step.
        eps: Added to the root of the corrected squares.
        weight_decay: Which part of the weights goes at a step, times ``lr``.

    Raises:
        ValueError: A number is out of its range; quotes it.

    Cost: two tensors of the parameters' size and dtype are kept.

    Example:
        >>> weights = torch.nn.Parameter(torch.ones(2))
        >>> optimizer = AdamW([weights], lr=0.1, weight_decay=0.0)
        >>> weights.grad = torch.tensor([5.0, -0.1])
        >>> optimizer.step()
        >>> weights.data
        tensor([0.9000, 1.1000])
    """

    def __init__(
        self,
        params: Iterable[Any],
        *,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        if not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"betas are {betas}: each is at least 0 and less than 1")
        for name, value in (("lr", lr), ("eps", eps), ("weight_decay", weight_decay)):
            if not value >= 0:
                raise ValueError(f"{name} is {value}: it is at least 0")
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Update every parameter that has a gradient.

        Args:
            closure: Computes the loss again, with gradients; by default the gradients that are there are used.

        Returns:
            What the closure returned.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            # An engine's DTensors stay apart from plain tensors: torch updates lists of one kind.
            together: dict[tuple[type[Tensor], torch.device, torch.dtype, int], list[Tensor]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    place = (type(parameter), parameter.device, parameter.dtype, self._count(parameter))
                    together.setdefault(place, []).append(parameter)
            for (_, _, _, step), parameters in together.items():
                self._update(parameters, step, group)
        return loss

    def _count(self, parameter: Tensor) -> int:
        """Return which step this is for a parameter, whose averages are made at its first."""
        state = self.state[parameter]
        if not state:
            state["step"] = 0
            state["exp_avg"] = torch.zeros_like(parameter, memory_format=torch.preserve_format)
            state["exp_avg_sq"] = torch.zeros_like(parameter, memory_format=torch.preserve_format)
        state["step"] += 1
        return state["step"]

    def _update(self, parameters: list[Tensor], step: int, group: dict[str, Any]) -> None:
        lr, (beta1, beta2) = group["lr"], group["betas"]
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        averages = [self.state[parameter]["exp_avg"] for parameter in parameters]
        squares = [self.state[parameter]["exp_avg_sq"] for parameter in parameters]
        torch._foreach_mul_(parameters, 1 - lr * group["weight_decay"])
        torch._foreach_lerp_(averages, gradients, 1 - beta1)
        torch._foreach_mul_(squares, beta2)
        torch._foreach_addcmul_(squares, gradients, gradients, value=1 - beta2)
        denominators = torch._foreach_div(squares, 1 - beta2**step)
        torch._foreach_sqrt_(denominators)
        torch._foreach_add_(denominators, group["eps"])
        torch._foreach_addcdiv_(parameters, averages, denominators, value=-lr / (1 - beta1**step))
