"""Processes that are joined, that were never started, and of which one dies."""

import pytest

from llmcourse.pretraining.parallelism import DataParallel, TensorParallel, join_processes
from llmcourse.pretraining.parallelism.processes import _is_lost


@pytest.mark.parametrize("strategy", [DataParallel, TensorParallel])
def test_without_processes_it_is_told_how_to_start_them(strategy, monkeypatch):
    with pytest.raises(ValueError, match=r"start with torchrun --nproc-per-node 2"):
        strategy()
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(ValueError, match=r"RANK.* is not set: start with torchrun"), join_processes():
        pass


@pytest.mark.parametrize("strategy", ["data", "zero3", "tensor", "pipeline"])
def test_where_one_process_dies_the_others_stop_with_an_error(run_case, strategy):
    _, found = run_case(f"dying-{strategy}", n_layers=4)
    assert len(found) == 3  # the one that died has written nothing
    for rank in found:
        assert rank["lost"], rank
        assert rank["seconds"] < 30


def test_where_one_process_falls_silent_the_others_stop_after_the_timeout(run_case):
    _, found = run_case("silent")
    for rank in found[:3]:
        assert rank["lost"], rank
        assert 2 <= rank["seconds"] < 6


def test_an_error_of_the_computing_is_not_taken_for_a_lost_process():
    assert not _is_lost(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
