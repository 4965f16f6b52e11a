"""Grading into a real PostgreSQL, which is started for it, and restarted in the middle."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from nbgrader.converters import GenerateAssignment

from llmcourse.grading import autograde, writer
from llmcourse.grading.course import Course
from llmcourse.grading.submissions import find_submissions

_NAME = "test_autograde"
_spec = importlib.util.spec_from_file_location(_NAME, Path(__file__).with_name(f"{_NAME}.py"))
COMMON = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(COMMON)
SMALL, FAKE, POINTS, ANSWERS = COMMON.SMALL, COMMON.FAKE, COMMON.POINTS, COMMON.ANSWERS


def _programs():
    """Return the folder of PostgreSQL's programs: the system's newest, or those of the package pgserver."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    spec = importlib.util.find_spec("pgserver")
    if spec is not None:
        found = [*Path(spec.submodule_search_locations[0]).glob("pginstall/bin/initdb"), *found]
    return found[-1].parent if found else None


class Server:
    """A server of PostgreSQL, by a user that is not root, which it refuses to be."""

    def __init__(self, folder):
        self.folder, self.bin, self.process = folder, _programs(), None
        self.user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.data = folder / "data"
        if self.user:
            shutil.chown(folder, "nobody")
        made = [self.bin / "initdb", "-D", self.data, "-U", "grader", "--auth=trust", "--no-sync", "--encoding=UTF8"]
        subprocess.run(made, check=True, capture_output=True, cwd=folder, timeout=60, **self.user)
        self.start()

    @property
    def url(self):
        return f"postgresql+psycopg://grader@127.0.0.1:{self.port}/postgres"

    def start(self):
        command = [self.bin / "postgres", "-D", self.data, "-p", str(self.port), "-h", "127.0.0.1", "-k", "", "-F"]
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, **self.user)
        for _ in range(200):
            ready = [self.bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
            if subprocess.run(ready, check=False).returncode == 0:
                return
            time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text())

    def stop(self):
        self.process.send_signal(signal.SIGINT)  # "fast": ends connections, does not wait for them
        self.process.wait(20)


@contextmanager
def _server(folder):
    server = Server(folder)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def server():
    if _programs() is None:
        pytest.skip("no PostgreSQL: apt-get install postgresql, or pip install pgserver")
    with TemporaryDirectory(prefix="postgres-") as folder, _server(Path(folder)) as started:
        yield started


@pytest.fixture
def course(server, tmp_path):
    folder = SMALL.make_course(tmp_path / "course")
    FAKE.quicken(folder)
    with (folder / "nbgrader_config.py").open("a") as config:
        config.write(f"\nc.CourseDirectory.db_url = {server.url!r}\n")
    made = Course(folder)
    done, log = made.convert(GenerateAssignment, SMALL.ASSIGNMENT)
    assert done, log
    for student, answers in ANSWERS.items():
        SMALL.hand_in(folder, student, **answers)
    yield made
    with made.gradebook() as gradebook:
        gradebook.remove_assignment(SMALL.ASSIGNMENT)


def outcomes(course, **how):
    found = find_submissions(course, [SMALL.ASSIGNMENT])
    return {o.submission.student: o for o in autograde.grade(course, found, COMMON.Inline(), **how)}


def test_marks_are_those_of_sqlite(course):
    assert {student: outcome.points for student, outcome in outcomes(course).items()} == POINTS
    again = outcomes(course)
    assert all(outcome.unchanged for outcome in again.values())
    assert {student: outcome.points for student, outcome in again.items()} == POINTS


@pytest.mark.parametrize("moment", ["at the commit", "at a query"])
def test_a_restart_is_waited_for_and_nothing_is_lost(course, server, monkeypatch, moment):
    monkeypatch.setattr(writer, "_WAITS_S", (0.1, 0.1))
    said, original, restarts = [], writer.outcome_of, []

    def restart(*arguments, **named):
        outcome = None if moment == "at a query" else original(*arguments, **named)
        if not restarts and "empty" in str(arguments):
            restarts.append(server.stop())
            server.start()
        return outcome or original(*arguments, **named)

    monkeypatch.setattr(writer, "outcome_of", restart)
    assert {student: outcome.points for student, outcome in outcomes(course, say=said.append).items()} == POINTS
    assert restarts
    assert said
    assert all(line.startswith("the gradebook cannot be used") for line in said)


def test_a_server_that_is_gone_stops_the_run(course, server, monkeypatch):
    monkeypatch.setattr(writer, "_WAITS_S", (0.01,))
    opened = Course(course.root)
    run = autograde.grade(opened, find_submissions(opened, [SMALL.ASSIGNMENT]), COMMON.Inline())
    next(run)
    server.stop()
    try:
        with pytest.raises(writer.GradebookError, match="refused"):
            list(run)
    finally:
        server.start()
    assert {student: outcome.points for student, outcome in outcomes(course).items()} == POINTS
