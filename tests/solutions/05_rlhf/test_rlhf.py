"""What is particular to the exercise: its functions are the reference's, and reach the optimum of a bandit together."""

import pytest
import torch

from llmcourse import alignment

EXERCISE = "05_rlhf/rlhf.ipynb"
REFERENCE = {name: getattr(alignment, name) for name in ("bradley_terry_loss", "token_rewards", "gae", "ppo_loss")}


@pytest.mark.parametrize("name", REFERENCE)
def test_parameters_are_those_of_the_reference(solution, parameters_of, name: str) -> None:
    assert parameters_of(solution[name]) == parameters_of(REFERENCE[name])


@pytest.mark.parametrize("seed", range(3))
def test_reference_passes_every_test(run_with, seed: int) -> None:
    run_with(lambda _: REFERENCE, seed)


def test_solution_agrees_with_the_reference(solution) -> None:
    generator = torch.Generator().manual_seed(0)
    a, b, c = torch.randn(3, 4, 6, generator=generator)
    mask = torch.arange(6) < torch.tensor([1, 3, 6, 4])[:, None]
    scores = torch.randn(4, generator=generator)
    calls = {
        "bradley_terry_loss": ((a[0], b[0]), {"margin": c[0]}),
        "token_rewards": ((scores, a, b, mask), {"beta": 0.2}),
        "gae": ((a, b, mask), {"gamma": 0.9, "lam": 0.8}),
        "ppo_loss": ((a, b, c, mask), {"clip": 0.3}),
    }
    for name, (arguments, options) in calls.items():
        found, expected = (functions[name](*arguments, **options) for functions in (solution, REFERENCE))
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
