"""Processes that are joined, that were never started, and of which one dies."""

import pytest

from llmcourse.pretraining.parallelism import DataParallel, TensorParallel, join_processes


@pytest.mark.parametrize("strategy", [DataParallel, TensorParallel])
def test_without_processes_it_is_told_how_to_start_them(strategy, monkeypatch):
    with pytest.raises(ValueError, match=r"start with torchrun --nproc-per-node 2"):
        strategy()
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(ValueError, match=r"RANK.* is not set: start with torchrun"), join_processes():
        pass


def test_where_one_process_dies_the_others_stop_with_an_error(run_case):
    _, found = run_case("dying")
    assert len(found) == 3
    assert all(rank["error"] for rank in found)
