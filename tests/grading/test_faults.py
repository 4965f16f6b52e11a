"""Whatever is killed in the middle of a run, each submission gets its mark once, or a plain reason; the run goes on.

Real kernels and judges in real sandboxes. ``make test`` grades a small class with each fault, ``make soak`` a hundred.
"""

import sqlite3
import time
from contextlib import closing

import psutil
import pytest
from runs import Run, hand_in_class, make_released, needs_sandbox, points_in

WORKERS = 2
SERVER = "llmcourse.grading.zygote.server"


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    if (lack := needs_sandbox()) is not None:
        pytest.skip(lack)
    return make_released(tmp_path_factory.mktemp("faults") / "course")


@pytest.fixture(params=[12, pytest.param(100, marks=pytest.mark.soak)], ids=["small", "hundred"], scope="module")
def class_(request, released):
    return released, hand_in_class(released, request.param)


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
        for process in find(run):
            process.kill()
            return
        time.sleep(0.01)
    raise AssertionError("nothing to kill was seen")


def lock_gradebook(run):
    with closing(sqlite3.connect(run.course / "gradebook.db", timeout=20, isolation_level=None)) as database:
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


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_middle_costs_at_most_the_submissions_at_hand(class_, fault):
    course, expected = class_
    run = Run(course, ("--workers", str(WORKERS), "--force"))
    for count in run.outcomes():
        if count == len(expected) // 3:
            FAULTS[fault](run)
    assert run.code in (0, 1), run.lines[-5:]
    done = [line.split()[1] for line in run.lines if line.startswith(("graded", "failed"))]
    assert sorted(done) == sorted(expected), "each once"
    found = points_in(course)
    hit = [student for student in expected if found[student] != expected[student]]
    assert len(hit) <= WORKERS, (hit, run.lines)
    assert all(run.told(student) for student in hit)
    for student in hit:
        again = Run(course, ("--student", student, "--force"))
        assert list(again.outcomes()) == [1], again.lines
    assert points_in(course) == expected


def test_nothing_is_left_running(released):
    assert not [child for child in psutil.Process().children(recursive=True) if SERVER in " ".join(child.cmdline())]
