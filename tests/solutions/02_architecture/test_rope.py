"""What is particular to the exercise: its functions are the reference's."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from llmcourse import architecture
from llmcourse.architecture import rotated_keys

EXERCISE = "02_architecture/rope.ipynb"
REFERENCE: dict[str, Callable[..., Any]] = {
    "rope_frequencies": architecture.rope_frequencies,
    "apply_rope": architecture.apply_rope,
    "convert_pairing": architecture.convert_pairing,
    "cached_scores": rotated_keys.cached_scores,
    "drop_oldest": rotated_keys.drop_oldest,
}
LEFT_OUT = {"rope_frequencies": {"device"}, "apply_rope": {"frequencies", "attention_factor"}}


@pytest.mark.parametrize("name", REFERENCE)
def test_parameters_are_those_of_the_reference(solution, parameters_of, name: str) -> None:
    assert parameters_of(solution[name]) == parameters_of(REFERENCE[name], LEFT_OUT.get(name, set()))


@pytest.mark.parametrize("seed", range(3))
def test_reference_passes_every_test(run_with, seed: int) -> None:
    run_with(lambda _: REFERENCE, seed)


@pytest.mark.parametrize("pairing", ["interleaved", "half"])
def test_solution_agrees_with_the_reference(solution, pairing: str) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 3, 5, 8, generator=generator)
    for positions in (torch.arange(5), torch.randint(50, (2, 5), generator=generator)):
        options = {"theta": 500.0, "pairing": pairing}
        found, expected = (f(x, positions, **options) for f in (solution["apply_rope"], architecture.apply_rope))
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    weight = torch.randn(24, 5, generator=generator)
    found, expected = (f(weight, 8, to=pairing) for f in (solution["convert_pairing"], architecture.convert_pairing))
    assert torch.equal(found, expected)
