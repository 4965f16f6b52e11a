"""Workers that die, at once or now and then, on this machine and on a Dask cluster."""

import subprocess
import sys
import time

import psutil
import pytest
from pool_tasks import die_of, die_once, double, fail

from llmcourse.grading import pool
from llmcourse.grading.cluster import cluster
from llmcourse.grading.course import CourseError
from llmcourse.grading.pool import Local, Lost, run


def tasks(count, *more, asked=None):
    for value in range(count):
        if asked is not None:
            asked.append(value)
        yield value, (value, *more)


@pytest.fixture(scope="module")
def local():
    with Local(2) as workers:
        yield workers


@pytest.fixture(scope="module")
def scheduler():
    """Return the address of a Dask scheduler with two worker processes, which are started again when they die."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=60) as started:
        yield started.scheduler_address


@pytest.fixture(params=["local", "cluster"])
def workers(request, local):
    if request.param == "local":
        yield local
    else:
        with cluster(request.getfixturevalue("scheduler")) as opened:
            yield opened


def test_every_task_comes_back_once(workers):
    results = list(run(workers, double, tasks(20)))
    assert sorted(results) == [(value, 2 * value) for value in range(20)]


def test_a_task_that_kills_its_workers_is_given_up_and_the_others_are_not(workers):
    results = dict(run(workers, die_of, tasks(12, 5)))
    assert isinstance(results.pop(5), Lost)
    assert results == {value: 2 * value for value in range(12) if value != 5}


def test_a_task_whose_worker_was_killed_runs_again(workers, tmp_path):
    results = dict(run(workers, die_once, tasks(8, str(tmp_path / "killed"))))
    assert (tmp_path / "killed").exists()
    assert results == {value: 2 * value for value in range(8)}


def test_no_more_is_asked_for_than_workers_can_take(workers):
    asked = []
    results = run(workers, double, tasks(50, asked=asked))
    for count, _ in enumerate(results, start=1):
        assert len(asked) <= count + 2 * 2


def test_what_is_wrong_with_the_function_itself_ends_the_run(workers):
    with pytest.raises(ZeroDivisionError):
        list(run(workers, fail, tasks(3)))


def test_leaving_by_an_exception_ends_the_processes():
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    with pytest.raises(KeyboardInterrupt), Local(1) as workers:
        workers.submit(time.sleep, 60)
        time.sleep(0.5)
        started = {process for process in psutil.Process().children(recursive=True) if process.pid not in before}
        assert started
        raise KeyboardInterrupt
    _, alive = psutil.wait_procs([process for process in started if "resource_tracker" not in _line(process)], 5)
    assert not alive


def _line(process):
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def test_workers_go_when_the_grader_is_killed(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    code = (
        "import time; from llmcourse.grading.pool import Local\n"
        "workers = Local(1); print(workers.submit(__import__('os').getpid).result(), flush=True); time.sleep(60)"
    )
    grader = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    worker = psutil.Process(int(grader.stdout.readline()))
    grader.kill()
    grader.wait(10)
    grader.stdout.close()
    worker.wait(10)


def test_a_scheduler_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr("llmcourse.grading.cluster._CONNECT_S", 1)
    with (
        pytest.raises(CourseError, match=r"no Dask scheduler answers at 'tcp://127\.0\.0\.1:1'"),
        cluster("tcp://127.0.0.1:1"),
    ):
        pass


def test_a_scheduler_that_ends_stops_the_run(monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr(pool, "_LOOK_S", 0.2)
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0", silence_logs=60) as started:
        with pytest.raises(CourseError, match="run this again to go on"), cluster(started.scheduler_address) as workers:
            for _ in run(workers, double, tasks(1000)):
                started.close()


def test_a_scheduler_without_workers_is_named():
    from distributed import LocalCluster

    with LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=60) as started:
        address = started.scheduler_address
        with pytest.raises(CourseError, match="has no worker; start one: dask worker tcp://"), cluster(address):
            pass
