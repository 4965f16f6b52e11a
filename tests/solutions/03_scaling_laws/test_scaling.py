"""What is particular to the exercise: its functions and constants are the reference's."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

import numpy as np
import pytest

from llmcourse import scaling

EXERCISE = "03_scaling_laws/scaling.ipynb"
FUNCTIONS = ("fit_power_law", "compute_optimal", "tokens_for_loss", "overtraining_cost", "break_even_tokens")
CONSTANTS = ("E", "A", "B", "alpha", "beta")


def constants(fit: Any) -> dict[str, float]:
    return {name: getattr(fit, name) for name in CONSTANTS}


def reference(setup: Mapping[str, Any]) -> Mapping[str, Callable[..., Any]]:
    """Return the package's functions, in the exercise's own record classes."""

    def with_fit(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, fit: Any = setup["EPOCH_REFIT"]) -> Any:
            return function(*args, fit=scaling.ChinchillaFit(**constants(fit)))

        return call

    def fit_power_law(x: np.ndarray, y: np.ndarray, *, irreducible: bool = False) -> Any:
        return setup["PowerLaw"](**asdict(scaling.fit_power_law(x, y, irreducible=irreducible)))

    wrapped = {name: with_fit(getattr(scaling, name)) for name in ("compute_optimal", "tokens_for_loss")}
    return {name: getattr(scaling, name) for name in FUNCTIONS} | wrapped | {"fit_power_law": fit_power_law}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_parameters_are_those_of_the_reference(solution, parameters_of, name: str) -> None:
    found, expected = (
        [
            (*rest, constants(default) if is_dataclass(default) else default)
            for *rest, default in parameters_of(function)
        ]
        for function in (solution[name], getattr(scaling, name))
    )
    assert found == expected


@pytest.mark.parametrize("seed", range(3))
def test_reference_passes_every_test(run_with, seed: int) -> None:
    run_with(reference, seed)


def test_records_have_the_fields_of_the_reference(solution) -> None:
    assert asdict(solution["PowerLaw"](coefficient=2.0, exponent=0.5)) == asdict(
        scaling.PowerLaw(coefficient=2.0, exponent=0.5)
    )
    assert asdict(solution["EPOCH_REFIT"]) == constants(scaling.EPOCH_REFIT)
