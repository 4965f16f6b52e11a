"""One seed makes every source of chance repeat."""

import random

import numpy as np
import pytest
import torch

from llmcourse.runtime import seed_everything


def draws() -> tuple[float, ...]:
    return (
        random.random(),
        float(np.random.random()),  # noqa: NPY002
        float(torch.rand(())),
        float(torch.rand((), generator=torch.default_generator)),
    )


def test_the_same_seed_gives_the_same_draws() -> None:
    seed_everything(3)
    first = draws()
    seed_everything(3)
    assert draws() == first
    seed_everything(4)
    assert draws() != first


def test_the_returned_generator_is_apart_from_the_global_one() -> None:
    generator = seed_everything(3)
    expected = torch.rand(4, generator=torch.Generator().manual_seed(3))
    torch.rand(100)
    assert torch.equal(torch.rand(4, generator=generator), expected)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_outside_the_range_is_refused(seed: int) -> None:
    with pytest.raises(ValueError, match=f"seed is {seed}"):
        seed_everything(seed)
