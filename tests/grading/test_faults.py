"""Whatever is killed in the middle of a run, each submission gets its mark once, or a plain reason; the run goes on.

Real kernels and judges in real sandboxes. ``make test`` grades a small class with all faults in one run, ``make soak``
a hundred submissions with each.
"""

import contextlib
import sqlite3
import time

import psutil
import pytest
from runs import Run, hand_in_class, make_released, needs_sandbox, points_in

WORKERS = 2
SERVER = "llmcourse.grading.zygote.server"


@pytest.fixture(scope="module")
def before():
    """Return what other tests in this process have started."""
    return psutil.Process().children(recursive=True)


@pytest.fixture(scope="module")
def released(before, tmp_path_factory):
    if (lack := needs_sandbox()) is not None:
        pytest.skip(lack)
    return make_released(tmp_path_factory.mktemp("faults") / "course")


def worker(run):
    return run.descendants("popen_loky", "LokyProcess")[:1]


def server(role):
    return lambda run: run.descendants(SERVER, f'"role": "{role}"')[:1]


def fork(role):
    """Return a function that finds a process in which a submission, or its tests, run."""

    def found(run):
        servers = run.descendants(SERVER, f'"role": "{role}"')
        forks = [process for process in servers if process.name() != "bwrap"][1:]
        return [process for process in forks if not process.children()][:1]

    return found


def kill_one(run, find):
    """Kill what is found, as soon as there is one."""
    for _ in range(400):
        with contextlib.suppress(psutil.NoSuchProcess):  # what is found may end by itself just now
            for process in find(run):
                process.kill()
                return
        time.sleep(0.01)
    raise AssertionError("nothing to kill was seen")


def lock_gradebook(run):
    with contextlib.closing(sqlite3.connect(run.course / "gradebook.db", timeout=20, isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        time.sleep(3)
        database.execute("ROLLBACK")


FAULTS = {
    "a worker is killed": lambda run: kill_one(run, worker),
    "the server of kernels is killed": lambda run: kill_one(run, server("kernel")),
    "the server of judges is killed": lambda run: kill_one(run, server("judge")),
    "a kernel is killed": lambda run: kill_one(run, fork("kernel")),
    "a judge is killed": lambda run: kill_one(run, fork("judge")),
    "the gradebook is locked": lock_gradebook,
}


EACH = [pytest.param([fault], 100, marks=pytest.mark.soak, id=fault) for fault in FAULTS]


@pytest.mark.parametrize(("faults", "count"), [pytest.param(list(FAULTS), 24, id="all in one run"), *EACH])
def test_a_fault_in_the_middle_costs_at_most_the_submissions_at_hand(released, faults, count):
    course, expected = released, hand_in_class(released, count)
    moments = {count * (number + 1) // (len(faults) + 2): fault for number, fault in enumerate(faults)}
    with Run(course, ("--workers", str(WORKERS), "--force")) as run:
        for done in run.outcomes():
            if done in moments:
                FAULTS[moments[done]](run)
    assert run.code in (0, 1), run.lines[-5:]
    graded = [line.split()[1] for line in run.lines if line.startswith(("graded", "failed"))]
    assert sorted(graded) == sorted(expected), "each once"
    found = points_in(course)
    hit = [student for student in expected if found[student] != expected[student]]
    assert len(hit) <= WORKERS * len(faults), (hit, run.lines)
    assert all(run.told(student) for student in hit)
    for student in hit[:2]:
        again = Run(course, ("--student", student, "--force"))
        assert list(again.outcomes()) == [1], again.lines
        found[student] = points_in(course)[student]
        assert found[student] == expected[student]
    assert points_in(course) == found


def test_nothing_is_left_running(before, released):
    assert set(psutil.Process().children(recursive=True)) <= set(before)
