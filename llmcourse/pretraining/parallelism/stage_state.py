"""States of a pipeline's stages, joined to the state of one model, whose optimizer numbers its parameters anew."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from llmcourse.pretraining.parallelism.cut_state import parameter_names

__all__ = ["StageState", "join_stages", "load_stage"]


class StageState(NamedTuple):
    """What a stage keeps, by the names that parameters have in the whole model.

    Attributes:
        weights: The model's state.
        entries: The optimizer's state of each parameter.
        groups: The names in each of its groups.
        options: Each group's learning rate and so on.
    """

    weights: dict[str, Tensor]
    entries: dict[str, dict[str, Any]]
    groups: list[list[str]]
    options: list[dict[str, Any]]

    @classmethod
    def of(cls, model: nn.Module, optimizer: torch.optim.Optimizer) -> "StageState":
        """Return the state of a stage, on the CPU."""
        names, state = parameter_names(model, optimizer), optimizer.state_dict()
        entries = {
            names[number]: {key: value.cpu() if isinstance(value, Tensor) else value for key, value in entry.items()}
            for number, entry in state["state"].items()
        }
        groups = [[names[number] for number in group["params"]] for group in state["param_groups"]]
        options = [{key: value for key, value in group.items() if key != "params"} for group in state["param_groups"]]
        return cls({name: tensor.cpu() for name, tensor in model.state_dict().items()}, entries, groups, options)


def join_stages(stages: Sequence[StageState]) -> dict[str, Any]:
    r"""Return the state of the whole model and its optimizer.

    Args:
        stages: In order; their optimizers have as many groups as the whole one's.

    Returns:
        ``{"model": ..., "optimizer": ...}`` as a single process has it.

    Example:
        >>> halves = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
        >>> optimizers = [torch.optim.SGD(half.parameters()) for half in halves]
        >>> stages = [StageState.of(half, optimizer) for half, optimizer in zip(halves, optimizers, strict=True)]
        >>> join_stages([stages[0], stages[1]._replace(groups=[["other"]])])["optimizer"]["param_groups"][0]["params"]
        [0, 1, 2]
    """
    weights = {name: tensor for stage in stages for name, tensor in stage.weights.items()}
    groups = _joined([stage.groups for stage in stages])
    numbers = _numbers(groups)
    entries = {numbers[name]: entry for stage in stages for name, entry in stage.entries.items()}
    param_groups = [
        {**options, "params": [numbers[name] for name in names]}
        for options, names in zip(stages[0].options, groups, strict=True)
    ]
    return {"model": weights, "optimizer": {"state": dict(sorted(entries.items())), "param_groups": param_groups}}


def load_stage(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    state: dict[str, Any],
    all_groups: Sequence[list[list[str]]],
) -> None:
    r"""Give a stage its part of what ``join_stages`` returned.

    Args:
        model: The stage; changed.
        optimizer: Its optimizer; changed.
        state: Of the whole model.
        all_groups: The ``groups`` of all stages, in order, from which the whole's numbers follow.
    """
    model.load_state_dict({name: state["model"][name] for name in model.state_dict()})
    numbers, given = _numbers(_joined(all_groups)), state["optimizer"]
    entries = {
        own: given["state"][numbers[name]]
        for own, name in enumerate(parameter_names(model, optimizer))
        if numbers[name] in given["state"]
    }
    own_groups = optimizer.state_dict()["param_groups"]
    groups = [{**whole, "params": own["params"]} for whole, own in zip(given["param_groups"], own_groups, strict=True)]
    optimizer.load_state_dict({"state": entries, "param_groups": groups})


def _joined(all_groups: Sequence[list[list[str]]]) -> list[list[str]]:
    return [[name for names in same for name in names] for same in zip(*all_groups, strict=True)]


def _numbers(groups: list[list[str]]) -> dict[str, int]:
    return {name: number for number, name in enumerate(name for names in groups for name in names)}
