"""ZeRO: what is kept and what is sent at each stage, and that losses stay those of one process."""

import pytest

from llmcourse.architecture import ModelConfig, Transformer
from llmcourse.pretraining import SingleProcess
from llmcourse.pretraining.parallelism import Zero, zero_memory


@pytest.mark.parametrize(("stage", "gigabytes"), [(0, 120.0), (1, 31.4), (2, 16.6), (3, 1.9)])
def test_it_is_the_papers_figure_1(stage, gigabytes):
    assert zero_memory(7.5e9, 64, stage) / 1e9 == pytest.approx(gigabytes, abs=0.051)


def test_on_one_device_no_stage_spares_anything():
    assert {zero_memory(10, 1, stage) for stage in range(4)} == {160.0}


def test_bad_values_are_quoted():
    with pytest.raises(ValueError, match="stage is 4"):
        zero_memory(1, 1, 4)
    with pytest.raises(ValueError, match="n_devices is 0"):
        zero_memory(1, 0, 1)


@pytest.fixture(scope="module", params=[1, 2, 3])
def zero(request, run_case):
    return request.param, *run_case(f"zero{request.param}")


@pytest.mark.parametrize("n", [2, 4])
def test_losses_checkpoints_and_uneven_batches_are_those_of_one_process(zero, check_story, n):
    check_story(*zero[1:], n)


def test_sizes_that_do_not_divide_frozen_weights_and_checkpointed_activations(zero, ranks):
    expected = ranks.losses_of(SingleProcess(), ranks.odd_model())
    for rank in zero[2]:
        assert rank["odd"]["losses"] == pytest.approx(expected["losses"], rel=1e-5)
        assert rank["odd"]["total"] == pytest.approx(expected["total"], rel=1e-5)


def sizes(ranks) -> tuple[int, int, int]:
    """Return the numbers in a model and in its blocks, and how many parameters there are."""
    model = Transformer(ModelConfig(**ranks.FULL))
    size, blocks = (sum(p.numel() for p in module.parameters()) for module in (model, model.blocks))
    return size, blocks, len(list(model.parameters()))


def test_a_step_sends_twice_the_model_and_at_stage_3_blocks_three_times(zero, ranks):
    stage, _, found = zero
    size, blocks, n = sizes(ranks)
    for rank in found:
        assert size <= rank["sent"]["scattered"] <= size + 3 * n  # up to 3 zeros fill a parameter up
        gathered = size + blocks if stage == 3 else size
        assert gathered <= rank["sent"]["gathered"] <= gathered + 6 * n


def test_between_micro_batches_each_process_keeps_what_the_paper_says(zero, ranks):
    stage, _, found = zero
    size, blocks, n = sizes(ranks)
    for rank in found:
        weights, gradients = rank["held"]["weights"][1], rank["held"]["gradients"][1]
        whole = size if stage < 3 else size / 4 + (size - blocks)  # what no block gathers is there
        assert whole <= weights <= whole + 6 * n
        assert (size if stage == 1 else size / 4) <= gradients <= (size if stage == 1 else size / 4 + 3 * n)


def test_a_stage_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="stage is 0: choose 1, 2 or 3"):
        Zero(0)
