"""torch's engine of data parallelism gives what one process gives."""

import pytest


@pytest.fixture(scope="module")
def ddp(run_case):
    return run_case("ddp")


@pytest.mark.parametrize("n", [2, 4])
def test_losses_checkpoints_and_uneven_batches_are_those_of_one_process(ddp, check_story, n):
    check_story(*ddp, n)
