"""Grading into a real PostgreSQL, which is started for it, and restarted in the middle."""

from pathlib import Path
from tempfile import TemporaryDirectory

import fake_execution as FAKE
import pytest
import small_course as SMALL
import test_autograde as COMMON
from nbgrader.converters import GenerateAssignment
from postgres import Server, programs

from llmcourse.grading import autograde, writer
from llmcourse.grading.course import Course
from llmcourse.grading.submissions import find_submissions


@pytest.fixture(scope="module")
def server():
    if programs() is None:
        pytest.skip("no PostgreSQL: apt-get install postgresql, or pip install pgserver")
    with TemporaryDirectory(prefix="postgres-") as folder, Server(Path(folder)) as started:
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
    for student, answers in COMMON.ANSWERS.items():
        SMALL.hand_in(folder, student, **answers)
    yield made
    with made.gradebook() as gradebook:
        gradebook.remove_assignment(SMALL.ASSIGNMENT)


def outcomes(course, **how):
    found = find_submissions(course, [SMALL.ASSIGNMENT])
    return {o.submission.student: o for o in autograde.grade(course, found, COMMON.Inline(), **how)}


def test_marks_are_those_of_sqlite(course):
    assert {student: outcome.points for student, outcome in outcomes(course).items()} == COMMON.POINTS
    again = outcomes(course)
    assert all(outcome.unchanged for outcome in again.values())
    assert {student: outcome.points for student, outcome in again.items()} == COMMON.POINTS


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
    assert {student: outcome.points for student, outcome in outcomes(course, say=said.append).items()} == COMMON.POINTS
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
    assert {student: outcome.points for student, outcome in outcomes(course).items()} == COMMON.POINTS
