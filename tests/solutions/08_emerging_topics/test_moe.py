"""What is particular to the exercise: its functions are the reference's, and together they are a layer."""

import pytest
import torch

from llmcourse import emerging

EXERCISE = "08_emerging_topics/moe.ipynb"
LEFT_OUT = {
    "route_top_k": {"n_groups", "top_k_groups", "scale"},
    "sort_by_expert": {"capacity"},
    "combine": set(),
    "load_balancing_loss": {"score"},
    "moe_parameters": set(),
}
REFERENCE = {name: getattr(emerging, name) for name in LEFT_OUT}


@pytest.mark.parametrize("name", REFERENCE)
def test_parameters_are_those_of_the_reference(solution, parameters_of, name: str) -> None:
    assert parameters_of(solution[name]) == parameters_of(REFERENCE[name], LEFT_OUT[name])


@pytest.mark.parametrize("seed", range(3))
def test_reference_passes_every_test(run_with, seed: int) -> None:
    run_with(lambda _: REFERENCE, seed)


def test_functions_together_are_the_loop_over_experts(solution) -> None:
    generator = torch.Generator().manual_seed(0)
    x, matrices = torch.randn(20, 4, generator=generator), torch.randn(6, 4, 4, generator=generator)
    weights, experts = solution["route_top_k"](torch.randn(20, 6, generator=generator), 2)
    slots, counts = solution["sort_by_expert"](experts, 6)
    blocks = x[slots // 2].split(counts.tolist())
    outputs = torch.cat([block @ matrix for block, matrix in zip(blocks, matrices, strict=True)])
    expected = emerging.apply_experts(x, weights, experts, [lambda rows, m=m: rows @ m for m in matrices])
    torch.testing.assert_close(solution["combine"](outputs, slots, weights), expected)
