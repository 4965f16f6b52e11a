"""What is particular to the exercise: its numbers are those of the papers, and its layers those of one device."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from llmcourse.pretraining import parallelism

EXERCISE = "04_pretraining/parallelism.ipynb"
REFERENCE: dict[str, Callable[..., Any]] = {
    name: getattr(parallelism, name)
    for name in (
        "ring_all_reduce",
        "average_gradients",
        "column_parallel_linear",
        "row_parallel_linear",
        "bubble_fraction",
        "zero_memory",
    )
}


@pytest.mark.parametrize("name", REFERENCE)
def test_parameters_are_those_of_the_reference(solution, parameters_of, name: str) -> None:
    assert parameters_of(solution[name]) == parameters_of(REFERENCE[name])


@pytest.mark.parametrize("seed", range(3))
def test_reference_passes_every_test(run_with, seed: int) -> None:
    run_with(lambda _: REFERENCE, seed)


def gpipe_finishes(n_stages: int, n_microbatches: int) -> list[int]:
    """Return when each stage finishes its last micro-batch, each starting as soon as its input is there."""
    before = [0] * n_microbatches
    finishes = []
    for _ in range(n_stages):
        free = 0
        for index, ready in enumerate(before):
            free = before[index] = max(free, ready) + 1
        finishes.append(free)
    return finishes


@pytest.mark.parametrize(("stage", "expected"), [(0, 120.0), (1, 31.4), (2, 16.6), (3, 1.9)])
def test_memory_is_that_of_the_paper(solution, stage: int, expected: float) -> None:
    """Figure 1 of Rajbhandari et al., arXiv:1910.02054: 7.5 billion parameters on 64 devices, in GB."""
    assert solution["zero_memory"](7.5e9, 64, stage) / 1e9 == pytest.approx(expected, abs=0.051)


@pytest.mark.parametrize(("n_stages", "n_microbatches"), [(1, 3), (4, 1), (4, 4), (8, 32)])
def test_bubble_is_that_of_a_schedule(solution, n_stages: int, n_microbatches: int) -> None:
    length = gpipe_finishes(n_stages, n_microbatches)[-1]
    assert solution["bubble_fraction"](n_stages, n_microbatches) == pytest.approx(1 - n_microbatches / length)


def train_on_ranks(solution: Mapping[str, Any], batches: list[tuple[Tensor, Tensor]], weight: Tensor) -> list[Tensor]:
    """Return each rank's averaged gradient of a classifier, over the exercise's own ring."""
    gradients = []
    for x, labels in batches:
        leaf = weight.clone().requires_grad_()
        torch.nn.functional.cross_entropy(x @ leaf, labels).backward()
        gradients.append(leaf.grad)

    def all_reduce(tensors: list[Tensor]) -> list[Tensor]:
        ring = solution["Ring"](len(tensors))
        return solution["ring_all_reduce"](tensors, ring.send, ring.receive)

    return solution["average_gradients"](gradients, [len(labels) for _, labels in batches], all_reduce)


def test_ranks_make_the_step_of_one_device(solution) -> None:
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(5, 3, generator=generator)
    batches = [(torch.randn(n, 5, generator=generator), torch.randint(3, (n,), generator=generator)) for n in (2, 7, 4)]
    leaf = weight.clone().requires_grad_()
    x, labels = (torch.cat(parts) for parts in zip(*batches, strict=True))
    torch.nn.functional.cross_entropy(x @ leaf, labels).backward()
    for gradient in train_on_ranks(solution, batches, weight):
        torch.testing.assert_close(gradient, leaf.grad, rtol=1e-5, atol=1e-6)


def test_a_cut_block_is_the_whole_block_after_one_all_reduce(solution) -> None:
    generator = torch.Generator().manual_seed(1)
    up, down = torch.nn.Linear(6, 12), torch.nn.Linear(12, 6)
    x = torch.randn(2, 5, 6, generator=generator)
    calls: Counter[str] = Counter()

    def all_reduce(tensors: list[Tensor]) -> list[Tensor]:
        calls["all_reduce"] += 1
        return [torch.stack(tensors).sum(0) for _ in tensors]

    with torch.no_grad():
        hidden = solution["column_parallel_linear"](x, list(up.weight.chunk(3)), list(up.bias.chunk(3)))
        shards = [part.relu() for part in hidden]
        found = solution["row_parallel_linear"](shards, list(down.weight.chunk(3, dim=1)), down.bias, all_reduce)
        for output in found:
            torch.testing.assert_close(output, down(up(x).relu()), rtol=1e-5, atol=1e-5)
    assert calls == {"all_reduce": 1}
