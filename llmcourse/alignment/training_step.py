"""The end of every step: gradients, clipping, the optimizer, and what is reported."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field

import torch
from torch import Tensor, nn

from llmcourse.pretraining import clip_grad_norm

__all__ = ["StepReport", "take_step"]


@dataclass(frozen=True)
class StepReport:
    """What a step of training found.

    Attributes:
        loss: Before the step.
        grad_norm: The norm of all gradients together, before clipping.
        metrics: What is particular to the method.
    """

    _: KW_ONLY
    loss: float
    grad_norm: float
    metrics: Mapping[str, float] = field(default_factory=dict)


def take_step(
    model: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor, *, max_norm: float = 1.0, **metrics: float
) -> StepReport:
    r"""Go one step down the gradient of a loss.

    Frozen parameters have no gradient and do not move: with LoRA adapters alone trained, only they do.

    Args:
        model: What is trained.
        optimizer: Of its parameters, or of those that are trained.
        loss: A scalar with a graph.
        max_norm: The greatest norm of the gradients.
        **metrics: Passed on.

    Returns:
        The report.

    Raises:
        ValueError: The gradient is not finite. Nothing has been changed then.
    """
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    norm = float(clip_grad_norm(model.parameters(), max_norm))
    if norm != norm or norm == float("inf"):
        optimizer.zero_grad(set_to_none=True)
        raise ValueError(f"the gradient's norm is {norm} and the loss {loss.item()}: no step made, look at this batch")
    optimizer.step()
    return StepReport(loss=loss.item(), grad_norm=norm, metrics=metrics)
