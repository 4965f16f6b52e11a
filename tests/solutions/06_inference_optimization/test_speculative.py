"""What is particular to the exercise: its functions are the reference's, and together they are exact."""

import pytest
import torch
from scipy.stats import chisquare

from llmcourse import inference

EXERCISE = "06_inference_optimization/speculative.ipynb"
NAMES = ("residual_distribution", "count_accepted", "next_distribution", "expected_tokens", "expected_speedup")
REFERENCE = {name: getattr(inference, name) for name in NAMES}


@pytest.mark.parametrize("name", REFERENCE)
def test_parameters_are_those_of_the_reference(solution, parameters_of, name: str) -> None:
    assert parameters_of(solution[name]) == parameters_of(REFERENCE[name])


@pytest.mark.parametrize("seed", range(3))
def test_reference_passes_every_test(run_with, seed: int) -> None:
    run_with(lambda _: REFERENCE, seed)


def test_rounds_of_the_solution_have_the_models_distribution(solution) -> None:
    generator = torch.Generator().manual_seed(0)
    draft, target = (torch.randn(size, 5, generator=generator).softmax(-1) for size in (2, 3))
    counts, n = torch.zeros(5), 6000
    for _ in range(n):
        drafted = torch.multinomial(draft, 1, generator=generator)[:, 0]
        kept = solution["count_accepted"](drafted, draft, target, torch.rand(2, generator=generator))
        last = torch.multinomial(solution["next_distribution"](draft, target, kept), 1, generator=generator)
        counts[torch.cat([drafted[:kept], last])[0]] += 1
    assert chisquare(counts.double(), target[0].double() / target[0].double().sum() * n).pvalue > 1e-3
