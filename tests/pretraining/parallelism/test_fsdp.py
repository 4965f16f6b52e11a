"""torch's fully_shard gives what one process gives."""

import pytest
from torch import nn

from llmcourse.pretraining import SingleProcess
from llmcourse.pretraining.parallelism import TorchFSDP


@pytest.fixture(scope="module")
def fsdp(run_case):
    return run_case("fsdp")


@pytest.mark.parametrize("n", [2, 4])
def test_losses_checkpoints_and_uneven_batches_are_those_of_one_process(fsdp, check_story, n):
    check_story(*fsdp, n)


def test_sizes_that_do_not_divide_frozen_weights_and_checkpointed_activations(fsdp, ranks):
    expected = ranks.losses_of(SingleProcess(), ranks.odd_model())
    for rank in fsdp[1]:
        assert rank["odd"]["losses"] == pytest.approx(expected["losses"], rel=1e-5)
        assert rank["odd"]["total"] == pytest.approx(expected["total"], rel=1e-5)


def test_a_model_without_blocks_is_refused():
    with pytest.raises(ValueError, match="the model is a Linear"):
        TorchFSDP.wrap(object.__new__(TorchFSDP), nn.Linear(1, 1))
