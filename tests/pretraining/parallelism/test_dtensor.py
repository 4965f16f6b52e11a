"""torch's tensor parallelism gives what one process gives."""

import pytest


@pytest.fixture(scope="module")
def dtensor(run_case):
    return run_case("dtensor")


@pytest.mark.parametrize("n", [2, 4])
def test_losses_checkpoints_and_uneven_batches_are_those_of_one_process(dtensor, check_story, n):
    check_story(*dtensor, n)


def test_a_gelu_layer_is_cut_too_and_embeddings_may_be_tied(dtensor, ranks):
    expected = ranks.train(feed_forward="gelu", tie_embeddings=True)
    for rank in dtensor[1]:
        assert rank["gelu"]["losses"] == pytest.approx(expected["losses"], rel=1e-5)


def test_what_does_not_divide_is_refused(dtensor):
    assert all("n_kv_heads is 2, which 4 processes do not divide" in rank["refused"] for rank in dtensor[1])


def test_a_block_sends_twice_forward_and_twice_backward(dtensor, ranks):
    for rank in dtensor[1]:
        assert rank["sums"] == 4 * ranks.FULL["n_layers"]
