"""What is particular to the exercise: its functions are the reference's."""

import random

import pytest
import torch

from llmcourse.inference import block_steps, paged_attention

EXERCISE = "06_inference_optimization/paged_attention.ipynb"
REFERENCE = {name: getattr(block_steps, name) for name in block_steps.__all__} | {"paged_attention": paged_attention}


@pytest.mark.parametrize("name", REFERENCE)
def test_parameters_are_those_of_the_reference(solution, parameters_of, name: str) -> None:
    assert parameters_of(solution[name]) == parameters_of(REFERENCE[name])


@pytest.mark.parametrize("seed", range(3))
def test_reference_passes_every_test(run_with, seed: int) -> None:
    run_with(lambda _: REFERENCE, seed)


def test_solution_agrees_with_the_reference(solution) -> None:
    draw = random.Random(0)
    for _ in range(50):
        size, n_tokens, n_new = draw.randint(1, 4), draw.randint(0, 9), draw.randint(0, 9)
        blocks = draw.sample(range(12), -(-n_tokens // size))
        references = [draw.randint(1, 2) if block in blocks else 0 for block in range(12)]
        found = []
        for functions in (solution, REFERENCE):
            counts, own = [*references], [*blocks]
            try:
                copies = functions["extend_blocks"](counts, own, n_tokens, n_new, block_size=size)
            except MemoryError:
                copies = None
            found.append((copies, counts, own))
        assert found[0] == found[1]


def test_attention_agrees_with_the_reference(solution) -> None:
    generator = torch.Generator().manual_seed(0)
    q, keys, values = (torch.randn(*size, generator=generator) for size in ((3, 4, 8), (9, 3, 2, 8), (9, 3, 2, 5)))
    arguments = (q, keys, values, torch.tensor([[4, 1, 7], [0, 8, 8], [5, 2, 3]]), torch.tensor([8, 2, 9]))
    found, expected = (functions["paged_attention"](*arguments) for functions in (solution, REFERENCE))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
