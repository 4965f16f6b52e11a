"""Processes that run a case of ranks.py, and what one process gives."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import torch

PROGRAM = Path(__file__).with_name("ranks.py")
sys.path.insert(0, str(PROGRAM.parent))  # where ranks.py finds what it imports, as when it is run
_spec = importlib.util.spec_from_file_location("ranks", PROGRAM)
_ranks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_ranks)


@pytest.fixture(scope="session")
def ranks():
    torch.set_num_threads(1)
    return _ranks


@pytest.fixture(scope="session")
def run_case(ranks, tmp_path_factory):
    """Return a function that runs a case beside a checkpoint of one process, and gives each rank's findings."""

    def run(case: str, **options) -> tuple[Path, list[dict]]:
        folder = tmp_path_factory.mktemp(case)
        ranks.train(folder=folder / "one", stop_after=2, **options)
        command = [sys.executable, str(PROGRAM), str(folder), case]
        done = subprocess.run(command, timeout=200, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-4000:]
        paths = [folder / f"{rank}.pt" for rank in range(ranks.N_RANKS)]
        return folder, [torch.load(path, weights_only=True) for path in paths if path.exists()]

    return run


@pytest.fixture(scope="session")
def check_story(ranks):
    """Return a function that compares what ``whole_story`` found with one process."""

    def check(folder: Path, found: list[dict], n: int, **options) -> None:
        expected = ranks.train(**options)
        ends = ranks.train(folder=folder / f"own-{n}-0", **options)  # one process goes on with their checkpoint
        uneven = ranks.uneven(None, slice(0, 8))
        for rank in (rank[n] for rank in found):
            mine = rank["train"]
            assert mine["losses"] == pytest.approx(expected["losses"], rel=1e-5)
            assert mine["norms"] == pytest.approx(expected["norms"], rel=1e-4)
            assert mine["validation"] == pytest.approx(expected["validation"], rel=1e-5)
            assert rank["stopped"]["losses"] == pytest.approx(expected["losses"][:2], rel=1e-5)
            assert rank["resumed"]["losses"] == pytest.approx(expected["losses"][2:], rel=1e-5)
            assert rank["uneven"]["loss"] == pytest.approx(uneven["loss"], rel=1e-5)
            assert rank["uneven"]["norms"] == pytest.approx(uneven["norms"], rel=1e-4)
            assert rank["any"] == [False, True]
        assert ends["losses"] == pytest.approx(expected["losses"][2:], rel=1e-5)
        assert [rank[n]["main"] for rank in found] == [index % n == 0 for index in range(4)]
        weights = found[0][n]["train"]["weights"]
        assert list(weights) == list(expected["weights"])
        for name, weight in weights.items():
            torch.testing.assert_close(weight, expected["weights"][name], rtol=1e-4, atol=2e-5, msg=name)

    return check
