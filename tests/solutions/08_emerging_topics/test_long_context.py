"""What is particular to the exercise: its functions are the reference's, and merged parts are the whole."""

import itertools

import pytest
import torch

from llmcourse import emerging
from llmcourse.architecture import scaled_dot_product_attention

EXERCISE = "08_emerging_topics/long_context.ipynb"
LEFT_OUT = {"ntk_scaled_theta": set(), "yarn_frequencies": {"truncate"}, "merge_attention": set()}
REFERENCE = {name: getattr(emerging, name) for name in LEFT_OUT}


@pytest.mark.parametrize("name", REFERENCE)
def test_parameters_are_those_of_the_reference(solution, parameters_of, name: str) -> None:
    assert parameters_of(solution[name]) == parameters_of(REFERENCE[name], LEFT_OUT[name])


@pytest.mark.parametrize("seed", range(3))
def test_reference_passes_every_test(run_with, seed: int) -> None:
    run_with(lambda _: REFERENCE, seed)


def test_merged_parts_are_attention_over_all_keys(solution) -> None:
    q, k, v = torch.randn(3, 1, 2, 12, 8, generator=torch.Generator().manual_seed(0))
    mask = torch.ones(12, 12, dtype=torch.bool).tril()
    parts = [
        emerging.attend_partially(q, k[:, :, a:b], v[:, :, a:b], mask=mask[:, a:b])
        for a, b in itertools.pairwise((0, 5, 12))
    ]
    merged, _ = solution["merge_attention"](*parts[0], *parts[1])
    torch.testing.assert_close(merged, scaled_dot_product_attention(q, k, v, causal=True), rtol=1e-5, atol=1e-5)
