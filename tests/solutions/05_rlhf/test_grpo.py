"""What is particular to the exercise: its functions are the reference's."""

import pytest
import torch

from llmcourse import alignment

EXERCISE = "05_rlhf/grpo.ipynb"
REFERENCE = {name: getattr(alignment, name) for name in ("group_advantages", "kl_penalty", "grpo_loss")}


@pytest.mark.parametrize("name", REFERENCE)
def test_parameters_are_those_of_the_reference(solution, parameters_of, name: str) -> None:
    assert parameters_of(solution[name]) == parameters_of(REFERENCE[name])


@pytest.mark.parametrize("seed", range(3))
def test_reference_passes_every_test(run_with, seed: int) -> None:
    run_with(lambda _: REFERENCE, seed)


@pytest.mark.parametrize("aggregation", ["sequence", "token", "constant"])
def test_solution_agrees_with_the_reference(solution, aggregation: str) -> None:
    generator = torch.Generator().manual_seed(0)
    new, old, reference = -2 * torch.rand(3, 6, 5, generator=generator)
    rewards = torch.randn(6, generator=generator)
    mask = torch.arange(5) < torch.tensor([1, 5, 3, 4, 2, 5])[:, None]
    options = {"group_size": 3, "reference_log_probs": reference, "beta": 0.2, "aggregation": aggregation}
    found, expected = (f["grpo_loss"](new, old, rewards, mask, **options) for f in (solution, REFERENCE))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
