"""Processes that train together give what one process gives."""

import pytest
import torch

from llmcourse.pretraining.parallelism import average_gradients


@pytest.fixture(scope="module")
def data(run_case):
    return run_case("data")


@pytest.mark.parametrize("n", [2, 4])
def test_losses_checkpoints_and_uneven_batches_are_those_of_one_process(data, check_story, n):
    check_story(*data, n)


def test_all_processes_have_the_same_weights(data):
    _, found = data
    for rank in found:
        for name, weight in rank[4]["train"]["weights"].items():
            assert torch.equal(weight, found[0][4]["train"]["weights"][name])


def test_a_ring_of_processes_gives_the_engines_sum(data):
    for rank in data[1]:
        assert rank["ring"] == [True] * 5


def test_an_average_over_nothing_is_zero():
    def all_reduce(tensors):
        return [torch.stack(tensors).sum(0)] * len(tensors)

    assert average_gradients([torch.ones(2)] * 2, [0, 0], all_reduce)[0].tolist() == [0, 0]
