"""What is particular to the exercise: its functions are the reference's."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from llmcourse import pretraining
from llmcourse.pretraining import minhash

EXERCISE = "04_pretraining/training.ipynb"
REFERENCE: dict[str, Callable[..., Any]] = {
    name: getattr(pretraining, name)
    for name in (
        "cross_entropy",
        "cosine_schedule",
        "clip_grad_norm",
        "adamw_step",
        "minhash_signature",
        "band_probability",
    )
}


@pytest.mark.parametrize("name", REFERENCE)
def test_parameters_are_those_of_the_reference(solution, parameters_of, name: str) -> None:
    assert parameters_of(solution[name]) == parameters_of(REFERENCE[name])


@pytest.mark.parametrize("seed", range(3))
def test_reference_passes_every_test(run_with, seed: int) -> None:
    run_with(lambda _: REFERENCE, seed)


def test_solution_agrees_with_the_reference(solution) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 5, 7, generator=generator)
    labels, mask = torch.randint(7, (2, 5), generator=generator), torch.rand(2, 5, generator=generator) < 0.5
    found, expected = (f(logits, labels, mask) for f in (solution["cross_entropy"], pretraining.cross_entropy))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    rng = np.random.default_rng(0)
    numbers = [rng.integers(1, minhash.PRIME, 9) for _ in range(3)]
    assert np.array_equal(solution["minhash_signature"](*numbers), pretraining.minhash_signature(*numbers))
    assert solution["PRIME"] == minhash.PRIME
