"""Processes that train together give what one process gives."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from llmcourse.pretraining.parallelism import DataParallel, average_gradients, join_processes

_spec = importlib.util.spec_from_file_location("ranks", Path(__file__).with_name("ranks.py"))
ranks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(ranks)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    program = str(Path(__file__).with_name("ranks.py"))
    done = subprocess.run([sys.executable, program, str(folder)], timeout=120, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def found(folder):
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(ranks.N_RANKS)]


@pytest.mark.parametrize("n", [2, 4])
def test_a_ring_of_processes_gives_the_engines_sum(found, n):
    for rank in found:
        assert rank[n]["ring"] == [True] * 5


@pytest.mark.parametrize("n", [2, 4])
@pytest.mark.parametrize("case", ["train", "micro"])
def test_losses_are_those_of_one_process(found, n, case):
    expected = ranks.train()
    for rank in found:
        mine = rank[n][case]
        assert mine["losses"] == pytest.approx(expected["losses"], rel=1e-5)
        assert mine["norms"] == pytest.approx(expected["norms"], rel=1e-4)
        assert mine["validation"] == pytest.approx(expected["validation"], rel=1e-5)
        torch.testing.assert_close(mine["weights"], expected["weights"], rtol=1e-4, atol=1e-5)
        assert torch.equal(mine["weights"], found[0][n][case]["weights"])


@pytest.mark.parametrize("n", [2, 4])
def test_a_label_counts_the_same_wherever_it_is(found, n):
    expected = ranks.uneven(None, slice(0, 8))
    for rank in found:
        assert rank[n]["uneven"]["loss"] == pytest.approx(expected["loss"], rel=1e-5)
        torch.testing.assert_close(rank[n]["uneven"]["gradients"], expected["gradients"], rtol=1e-5, atol=1e-7)


def test_all_stop_together_and_one_is_main(found):
    for n in (2, 4):
        assert all(rank[n]["any"] == [False, True] for rank in found)
        assert [rank[n]["main"] for rank in found] == [index % n == 0 for index in range(4)]


def test_where_one_process_dies_the_others_stop_with_an_error(folder):
    messages = [(folder / f"died-{rank}.txt").read_text() for rank in range(3)]
    assert all(messages)


def test_without_processes_it_is_told_how_to_start_them(monkeypatch):
    with pytest.raises(ValueError, match="start with torchrun"):
        DataParallel()
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(ValueError, match=r"RANK.* is not set: start with torchrun"), join_processes():
        pass


def test_an_average_over_nothing_is_zero():
    def all_reduce(tensors):
        return [torch.stack(tensors).sum(0)] * len(tensors)

    assert average_gradients([torch.ones(2)] * 2, [0, 0], all_reduce)[0].tolist() == [0, 0]
