"""torch's pipelining gives what one process gives."""

import pytest


@pytest.fixture(scope="module", params=["gpipe", "1f1b"])
def pipeline(request, run_case):
    return request.param, *run_case(f"torch_{request.param}", n_layers=4, n_micro_batches=4)


@pytest.mark.parametrize("n", [2, 4])
def test_losses_checkpoints_and_uneven_batches_are_those_of_one_process(pipeline, check_story, n):
    check_story(*pipeline[1:], n, n_layers=4, n_micro_batches=4)


def test_layers_that_do_not_divide_in_bf16(pipeline, ranks):
    expected = ranks.train(n_layers=5, precision="bf16", n_micro_batches=4)
    for rank in pipeline[2]:
        assert rank["odd"]["losses"] == pytest.approx(expected["losses"], rel=1e-3)  # logits in bf16, taken otherwise


def test_fewer_micro_batches_than_stages_are_refused_where_the_engine_cannot_take_them(pipeline):
    schedule, _, found = pipeline
    for rank in found:
        assert rank["few"] == "not refused" if schedule == "gpipe" else "2 micro-batches for 4 stages" in rank["few"]
