"""Large classes: memory and throughput stay flat, on this machine and on a Dask cluster, in SQLite and in PostgreSQL.

``make test`` grades small classes, without judging speed; ``make soak`` 1,000 damaged notebooks and 5,000 submissions.
Its figures are printed; run it with ``-s`` to see them.
"""

import contextlib
import json
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import damage
import psutil
import pytest
import small_course as small
from postgres import Server, programs
from runs import Run, hand_in_class, make_released, needs_sandbox, points_in

pytestmark = pytest.mark.skipif(needs_sandbox() is not None, reason=str(needs_sandbox()))
LARGE = pytest.param(5000, marks=pytest.mark.soak)
# The last fifth of a run may take more time, and memory, than its second fifth by this much.
FLAT = 1.2


def resident_bytes(run):
    """Return the memory of the grader and of all that it started, with what they share counted once."""
    total = 0
    for process in [psutil.Process(run.process.pid), *run.descendants()]:
        try:
            total += process.memory_full_info().pss
        except (psutil.Error, FileNotFoundError):
            continue
    return total


def processor_s():
    """Return the processor time of all that this test has started, workers and servers with forks that have ended.

    Unlike the time on the clock, it does not tell what else the machine does.
    """
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            total += sum(process.cpu_times()[:4])
    return total


def graded(run, *, at=None, then=None):
    """Follow a run to its end; return its memory in bytes and its processor time by the submissions that were done."""
    memory, busy = {}, {}
    every = 100
    for count in run.outcomes():
        if count == at:
            then()
        if count % every == 0:
            memory[count], busy[count] = resident_bytes(run), processor_s()
    return memory, busy


def report(name, run, memory, busy):
    """Print the figures of a run, and hold a long one to being flat."""
    count = len(run.seconds)
    print(f"\n{name}: {count} in {run.seconds[-1]:.0f} s, {60 * count / run.seconds[-1]:.0f} a minute")
    if count < 1000:
        return
    fifth = count // 5
    early, late = run.seconds[2 * fifth - 1] - run.seconds[fifth - 1], run.seconds[-1] - run.seconds[-1 - fifth]
    sizes = [statistics.median(memory[k] for k in memory if k // fifth in ks) / 2**20 for ks in ((1,), (4, 5))]
    print(f"  second fifth {early:.0f} s, {sizes[0]:.0f} MiB; last fifth {late:.0f} s, {sizes[1]:.0f} MiB")
    # not the second fifth, in which a worker may be killed, and its time lost
    first, last = busy[3 * fifth] - busy[2 * fifth], busy[count - 100] - busy[count - 100 - fifth]
    print(f"  processor time of a fifth: {first:.0f} s, then {last:.0f} s")
    assert last < FLAT * first
    assert sizes[1] < FLAT * sizes[0]


@pytest.mark.parametrize("count", [LARGE])  # small ones are graded in test_faults.py
def test_a_class_on_this_machine(tmp_path, count):
    course = make_released(tmp_path / "course")
    expected = hand_in_class(course, count)
    with Run(course) as run:
        report("local, SQLite", run, *graded(run))
    assert run.code == 0, run.lines[-3:]
    assert points_in(course) == expected


@contextlib.contextmanager
def dask_cluster():
    """Start a scheduler and two workers, each a process that is started again when it dies."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=60) as started:
        yield started


@pytest.mark.parametrize("count", [12, LARGE])
def test_the_same_on_a_cluster_into_postgresql_with_a_worker_killed(tmp_path, count):
    if programs() is None:
        pytest.skip("no PostgreSQL: apt-get install postgresql, or pip install pgserver")
    with TemporaryDirectory(prefix="postgres-") as folder, Server(Path(folder)) as database, dask_cluster() as cluster:
        course = make_released(tmp_path / "course", f"c.CourseDirectory.db_url = {database.url!r}")
        expected = hand_in_class(course, count)
        killed = []

        def kill():
            (worker, *_) = cluster.workers.values()
            killed.append(worker.process.pid)
            psutil.Process(worker.process.pid).kill()

        with Run(course, ("--scheduler", cluster.scheduler_address)) as run:
            report("Dask, PostgreSQL, one worker killed", run, *graded(run, at=count // 3, then=kill))
        assert run.code == 0, run.lines[-3:]
        assert killed
        assert points_in(course) == expected


@pytest.mark.parametrize("count", [len(damage.KINDS), pytest.param(1000, marks=pytest.mark.soak)])
def test_damaged_notebooks_get_a_mark_or_a_reason(tmp_path, count):
    course = make_released(tmp_path / "course")
    for number in range(count):
        path = small.hand_in(course, f"student{number:04d}", double=small.GOOD_DOUBLE, mean=small.GOOD_MEAN)
        path.write_bytes(damage.damaged(path.read_text(encoding="utf-8"), number))
    began = time.monotonic()
    with Run(course) as run:
        list(run.outcomes())
    print(f"\n{count} damaged notebooks in {time.monotonic() - began:.0f} s; {run.lines[-1]}")
    assert run.code in (0, 1, 3), run.lines[-3:]
    assert len(run.seconds) == count
    found = points_in(course)
    assert len(found) == count
    for number in range(count):
        student = f"student{number:04d}"
        told = run.told(student)
        assert found[student] == 6 or told or _lost_an_answer(course, student), student


def _lost_an_answer(course, student):
    """Return whether the damage took part of an answer with it, so that fewer points need no explanation."""
    path = course / "submitted" / student / small.ASSIGNMENT / f"{small.NOTEBOOK}.ipynb"
    try:
        cells = json.loads(path.read_bytes())["cells"]
    except (ValueError, KeyError, TypeError):
        return False
    texts = [cell.get("source") for cell in cells if isinstance(cell, dict)]
    texts = ["".join(map(str, text)) if isinstance(text, list) else str(text) for text in texts]
    return not all(any(answer.strip() in text for text in texts) for answer in (small.GOOD_DOUBLE, small.GOOD_MEAN))
