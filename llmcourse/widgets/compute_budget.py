"""A calculator of budgets: which model and how much text, and what changes when the model will be used."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import traitlets

from llmcourse.scaling import (
    EPOCH_REFIT,
    ChinchillaFit,
    cheapest_for_loss,
    chinchilla_loss,
    compute_optimal,
    overtraining_cost,
)
from llmcourse.widgets.static import StaticWidget, styled

__all__ = ["ComputeBudget"]

_HERE = Path(__file__).parent
_CONSTANTS = ("E", "A", "B", "alpha", "beta")


class ComputeBudget(StaticWidget):
    r"""Split a training budget between parameters and tokens, and see what the tokens that will be served change.

    The first slider sets the budget, for which the law's best split is shown
    (:func:`llmcourse.scaling.compute_optimal`). The second sets how many tokens the model will serve; the model of the
    *same loss* that costs least over its whole life is then shown beside it
    (:func:`llmcourse.scaling.cheapest_for_loss`). Known models stand in the picture where they were trained.

    Args:
        models: parameters and training tokens by the name of a known model.
        fit: the law.
        log_flops: the budget at first, log10 of FLOP, from 18 to 27.
        log_served: the tokens served at first, log10, from 9 to 16; 9 stands for none.
        **traits: what any widget takes, such as ``layout``.

    Raises:
        ValueError: a slider is out of its range, or a model's numbers are not positive.

    Examples:
        >>> budget = ComputeBudget({"Chinchilla": (70e9, 1.4e12)}, log_flops=23.77, log_served=13)
        >>> budget
        ComputeBudget(1 models, 10^23.77 FLOP, 10^13 tokens served)
        >>> optimal, used = budget.optimal, budget.used
        >>> used["parameters"] < optimal["parameters"] and used["tokens"] > optimal["tokens"]
        True
    """

    _esm = _HERE / "compute_budget.js"
    _css = styled(_HERE / "compute_budget.css")
    caption = "An interactive figure, the compute budget: it runs in the book's pages and in JupyterLab."

    log_flops = traitlets.Float(23.76).tag(sync=True)
    log_served = traitlets.Float(9.0).tag(sync=True)
    constants = traitlets.Dict(read_only=True).tag(sync=True)
    models = traitlets.List(read_only=True).tag(sync=True)

    def __init__(
        self,
        models: Mapping[str, tuple[float, float]] | None = None,
        *,
        fit: ChinchillaFit = EPOCH_REFIT,
        log_flops: float = 23.76,
        log_served: float = 9.0,
        **traits: Any,
    ) -> None:
        self.fit = fit
        self.set_trait("constants", {name: float(getattr(fit, name)) for name in _CONSTANTS})
        self.set_trait("models", [_model(name, *numbers) for name, numbers in (models or {}).items()])
        super().__init__(log_flops=log_flops, log_served=log_served, **traits)

    @traitlets.validate("log_flops")
    def _in_range_of_budgets(self, proposal: dict[str, Any]) -> float:
        return _between("log_flops", proposal["value"], 18, 27)

    @traitlets.validate("log_served")
    def _in_range_of_demands(self, proposal: dict[str, Any]) -> float:
        return _between("log_served", proposal["value"], 9, 16)

    @property
    def served(self) -> float:
        """How many tokens the model will serve; the left end of the slider is none."""
        return 10**self.log_served if self.log_served > 9 else 0.0

    @property
    def optimal(self) -> dict[str, float]:
        """The best split of the budget: parameters, tokens, their loss, and the FLOP of training and of use."""
        parameters, tokens = compute_optimal(10**self.log_flops, fit=self.fit)
        return self._described(float(parameters), float(tokens))

    @property
    def used(self) -> dict[str, float]:
        """The model of the same loss that costs least when it serves ``served`` tokens."""
        return self._described(*cheapest_for_loss(self.optimal["loss"], self.served, fit=self.fit))

    def _described(self, parameters: float, tokens: float) -> dict[str, float]:
        return {
            "parameters": parameters,
            "tokens": tokens,
            "loss": float(chinchilla_loss(parameters, tokens, fit=self.fit)),
            "training": float(overtraining_cost(parameters, tokens)),
            "lifetime": float(overtraining_cost(parameters, tokens, self.served)),
        }

    def __repr__(self) -> str:
        demand = f"10^{self.log_served:g} tokens" if self.served else "nothing"
        return f"ComputeBudget({len(self.models)} models, 10^{self.log_flops:g} FLOP, {demand} served)"


def _model(name: str, parameters: float, tokens: float) -> dict[str, Any]:
    if not (0 < parameters < np.inf and 0 < tokens < np.inf):
        raise ValueError(f"model {name!r} has {parameters} parameters and {tokens} tokens: both have to be positive")
    return {"name": name, "parameters": float(parameters), "tokens": float(tokens)}


def _between(name: str, value: float, low: float, high: float) -> float:
    if not low <= value <= high:
        raise ValueError(f"{name} is {value}: it must be from {low} to {high}")
    return value
