"""Stages through which micro-batches pass: losses of one process, and how many activations each schedule keeps."""

import pytest

from llmcourse.pretraining.parallelism import Pipeline, bubble_fraction, kept_activations, pipeline_actions


def test_one_stage_never_idles_and_more_micro_batches_idle_less():
    assert bubble_fraction(1, 5) == 0
    shares = [bubble_fraction(4, m) for m in (1, 2, 4, 8, 1000)]
    assert shares[0] == 0.75
    assert shares == sorted(shares, reverse=True)


@pytest.mark.parametrize("sizes", [(0, 1), (1, 0)])
def test_numbers_out_of_range_are_quoted(sizes):
    with pytest.raises(ValueError, match=f"n_stages is {sizes[0]} and n_microbatches {sizes[1]}"):
        bubble_fraction(*sizes)


@pytest.fixture(scope="module", params=["gpipe", "1f1b"])
def pipeline(request, run_case):
    return request.param, *run_case(request.param, n_layers=4, n_micro_batches=4)


@pytest.mark.parametrize("n", [2, 4])
def test_losses_checkpoints_and_uneven_batches_are_those_of_one_process(pipeline, check_story, n):
    check_story(*pipeline[1:], n, n_layers=4, n_micro_batches=4)


def test_layers_that_do_not_divide_learned_positions_and_bf16(pipeline, ranks):
    expected = ranks.train(n_layers=5, position_embedding="learned", norm="layer", precision="bf16")
    for rank in pipeline[2]:
        # The same products in the same precision; only the loss is taken from logits that exist at once.
        assert rank["odd"]["losses"] == pytest.approx(expected["losses"], rel=1e-3)


def test_a_stage_keeps_the_activations_of_as_many_micro_batches_as_its_schedule_says(pipeline):
    schedule, _, found = pipeline
    for stage, rank in enumerate(found):
        one, two, six = rank["live"]
        assert one > 0
        for m, kept in ((1, one), (2, two), (6, six)):
            expected = kept_activations(pipeline_actions(schedule, 4, m)[stage])
            assert expected == (m if schedule == "gpipe" else min(4 - stage, m))
            assert kept == expected * one


def test_what_cannot_be_cut_is_refused(pipeline):
    for rank in pipeline[2]:
        layers, tied = rank["refused"]
        assert "n_layers is 3 and there are 4 stages" in layers
        assert "tie_embeddings is True" in tied


def test_a_schedule_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="schedule is 'magic'"):
        Pipeline("magic")
