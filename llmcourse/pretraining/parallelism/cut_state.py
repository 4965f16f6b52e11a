"""What a process keeps of a model and its optimizer, put together for a checkpoint and cut again when one is read."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["clip_cut_gradients", "cut_optimizer_state", "parameter_names", "whole_optimizer_state"]

Change = Callable[[str, Tensor], Tensor]


def whole_optimizer_state(model: nn.Module, optimizer: torch.optim.Optimizer, gather: Change) -> dict[str, Any]:
    r"""Return an optimizer's state as a single process has it.

    Args:
        model: Whose parameters the optimizer has, as many and in the same order as the single process.
        optimizer: Keeps tensors of its parameters' shapes.
        gather: Makes the whole of the part that belongs to the parameter of a name.

    Returns:
        What ``optimizer.state_dict()`` would be.

    Example:
        >>> model = nn.Linear(1, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), momentum=0.9)
        >>> model(torch.ones(1)).backward()
        >>> optimizer.step()
        >>> whole = whole_optimizer_state(model, optimizer, lambda name, part: torch.cat([part, part]))
        >>> whole["state"][0]["momentum_buffer"].tolist()
        [[1.0], [1.0]]
    """
    return _changed(optimizer.state_dict(), parameter_names(model, optimizer), gather)


def cut_optimizer_state(
    model: nn.Module, optimizer: torch.optim.Optimizer, state: Mapping[str, Any], cut: Change
) -> None:
    r"""Give an optimizer its part of a state that a single process has.

    Args:
        model: As above.
        optimizer: As above; changed.
        state: What ``whole_optimizer_state`` returned.
        cut: Makes the part of the whole that belongs to the parameter of a name.
    """
    optimizer.load_state_dict(_changed(state, parameter_names(model, optimizer), cut))


@torch.no_grad()
def clip_cut_gradients(
    cut: Iterable[Tensor], shared: Iterable[Tensor], max_norm: float, add_up: Callable[[Tensor], Tensor]
) -> Float[Tensor, ""]:
    r"""Clip by the norm over the whole model where processes keep parts of it: clipping alone would use other norms.

    Args:
        cut: Parameters of which each process has its own part, a DTensor's local one.
        shared: Parameters that all have, with the same gradients; they count once.
        max_norm: The greatest norm that is left.
        add_up: Adds up a tensor over all processes.

    Returns:
        The norm before clipping, of the whole model.

    Raises:
        ValueError: ``max_norm`` is not positive.

    Cost: one number is sent.

    Example:
        >>> weight = nn.Parameter(torch.zeros(1))
        >>> weight.grad = torch.tensor([3.0])
        >>> other = torch.tensor(16.0)  # another process has a gradient of 4
        >>> float(clip_cut_gradients([weight], [], 1.0, lambda mine: mine + other)), round(float(weight.grad), 4)
        (5.0, 0.6)
    """
    if not max_norm > 0:
        raise ValueError(f"max_norm is {max_norm}: it has to be greater than 0")
    own = [_local(parameter.grad) for parameter in cut if parameter.grad is not None]
    same = [_local(parameter.grad) for parameter in shared if parameter.grad is not None]
    elsewhere = add_up(_squares(own))
    norm = (elsewhere + _squares(same).to(elsewhere.device)).sqrt()
    factor = (max_norm / norm).clamp(max=1.0)
    for gradient in (*own, *same):
        gradient.mul_(factor.to(gradient.device, gradient.dtype))
    return norm


def _local(gradient: Tensor) -> Tensor:
    # Asked for by its method: torch.distributed.tensor takes half a second to import, which few runs need.
    to_local: Callable[[], Tensor] | None = getattr(gradient, "to_local", None)
    return gradient if to_local is None else to_local()


def _squares(gradients: list[Tensor]) -> Tensor:
    if not gradients:
        return torch.zeros(())
    return (
        torch.stack([torch.linalg.vector_norm(gradient, dtype=torch.float32) for gradient in gradients]).square().sum()
    )


def parameter_names(model: nn.Module, optimizer: torch.optim.Optimizer) -> list[str]:
    """Return the names of the parameters that an optimizer has, in the order in which it numbers them."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return [names[id(parameter)] for group in optimizer.param_groups for parameter in group["params"]]


def _changed(state: Mapping[str, Any], names: list[str], change: Change) -> dict[str, Any]:
    """Change what has the parameter's shape; counts of steps, numbers or tensors of one number, stay."""
    states = {
        number: {
            key: change(names[number], value) if isinstance(value, Tensor) and value.ndim else value
            for key, value in entries.items()
        }
        for number, entries in state["state"].items()
    }
    return {**state, "state": states}
