"""Threads, and a cluster of two processes of this machine, one of which is killed at work."""

import os
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from llmcourse.pretraining.dask_map import dask_map

sys.path.insert(0, str(Path(__file__).parent))
from dask_tasks import refuse, square, square_or_die_once

distributed = pytest.importorskip("distributed")

# A worker that is killed leaves its sockets to the collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@pytest.fixture(scope="module")
def cluster():
    # Workers are processes of their own, and find the tests' functions by this.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
        yield from _two_workers()


def _two_workers():
    options = {"n_workers": 2, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None}
    with distributed.LocalCluster(**options, silence_logs=50) as made:
        yield made


def test_threads_give_results_in_order_a_round_at_a_time():
    began = []

    def note(number):
        began.append(number)
        time.sleep(0.001 * (5 - number % 5))
        return number

    with dask_map() as mapped:
        results = mapped(note, range(1000))
        assert next(results) == 0
        assert len(began) < 1000
        assert list(results) == list(range(1, 1000))
        assert list(mapped(note, [])) == []


def test_an_error_is_the_functions_own(cluster):
    for scheduler in (None, cluster.scheduler_address):
        with dask_map(scheduler) as mapped, pytest.raises(ValueError, match="number is 3"):
            list(mapped(refuse, [3]))


def test_a_worker_that_is_killed_changes_nothing(cluster, tmp_path):
    marker = tmp_path / "died"
    function = partial(square_or_die_once, str(marker))
    begun = time.monotonic()
    with dask_map(cluster.scheduler_address) as mapped:
        assert list(mapped(function, list(range(40)))) == [square(number) for number in range(40)]
    assert marker.exists()
    assert time.monotonic() - begun < 60


def test_no_scheduler_is_told_by_its_address():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    import llmcourse.pretraining.dask_map as module

    before, module._CONNECT_S = module._CONNECT_S, 1
    try:
        with pytest.raises(ConnectionError, match=f"no Dask scheduler answers at '{address}'"), dask_map(address):
            pass
    finally:
        module._CONNECT_S = before
    with pytest.raises(ConnectionError, match="no Dask scheduler answers at 'nonsense://x'"), dask_map("nonsense://x"):
        pass


def test_a_cluster_without_workers_is_refused_and_one_that_loses_all_is_given_up(tmp_path):
    options = {"n_workers": 0, "host": "127.0.0.1", "dashboard_address": None}
    with distributed.LocalCluster(**options, silence_logs=50) as empty:
        with pytest.raises(ConnectionError, match="has no worker"), dask_map(empty.scheduler_address):
            pass
        empty.scale(1)
        empty.wait_for_workers(1)
        with dask_map(empty.scheduler_address, no_worker_s=1) as mapped:
            results = mapped(partial(time.sleep), [0.01, 600])
            empty.scale(0)
            with pytest.raises(ConnectionError, match="has no worker left"):
                list(results)


def test_without_dask_it_says_what_to_install():
    code = (
        "import sys; sys.modules['dask'] = None\n"
        "from llmcourse.pretraining.dask_map import dask_map\nwith dask_map(): pass"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert "pip install distributed" in done.stderr, done.stderr
