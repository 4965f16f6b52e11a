"""Due dates from the configuration into the gradebook."""

import os
import shutil
import sysconfig
from datetime import datetime

import pytest
from nbformat.v4 import new_notebook
from nbgrader.api import Gradebook
from nbgrader.preprocessors import SaveCells
from traitlets.config import Config

from llmcourse.grading.due import DueDates, parse_time


def release(url, date, *, assignment="a", configured="a"):
    """Do what GenerateAssignment does with the preprocessor."""
    resources = {"nbgrader": {"assignment": assignment, "db_url": url}}
    DueDates(config=Config({"DueDates": {"dates": {configured: date}}})).preprocess(new_notebook(), resources)


@pytest.fixture(autouse=True, scope="module")
def programs():
    """Find ``alembic``, which nbgrader calls when it makes a gradebook; the course's configuration does the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]]))
        yield


@pytest.fixture(scope="module")
def gradebook_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("due") / "gradebook.db"
    with Gradebook(f"sqlite:///{path}") as gradebook:
        gradebook.add_assignment("a")
        gradebook.add_assignment("b", duedate="2026-01-01")
    return path


@pytest.fixture
def url(gradebook_file, tmp_path):
    return f"sqlite:///{shutil.copy(gradebook_file, tmp_path)}"


def due(url, assignment):
    with Gradebook(url) as gradebook:
        return gradebook.find_assignment(assignment).duedate


def test_a_date_is_written_changed_and_taken_away(url):
    for date, kept in (
        ("2027-02-01 23:59:00 UTC", datetime(2027, 2, 1, 23, 59)),
        ("2027-03-01T12:00+01:00", datetime(2027, 3, 1, 11)),
        (None, None),
    ):
        release(url, date)
        assert due(url, "a") == kept


def test_an_assignment_that_is_not_named_keeps_its_date(url):
    release(url, "2027-02-01", assignment="b")
    assert due(url, "b") == datetime(2026, 1, 1)


def test_an_assignment_outside_the_gradebook_is_left_alone(url):
    release(url, "2027-02-01", assignment="c", configured="c")
    with Gradebook(url) as gradebook:
        assert {assignment.name for assignment in gradebook.assignments} == {"a", "b"}


@pytest.mark.parametrize("date", ["soon", "2027-13-01", "2027-02-01 18:00:00 +0200", "2027-02-01 18:00:00 -0500"])
def test_what_is_no_date_is_refused_with_its_place(url, date):
    with pytest.raises(ValueError, match=r"c\.DueDates\.dates\['a'\]: .*" + date.replace("+", r"\+")):
        release(url, date)


def test_utc_may_be_written_as_an_offset_of_zero():
    assert parse_time("2027-02-01 18:00:00 +0000") == datetime(2027, 2, 1, 18)


def test_the_real_configuration_dates_after_the_cells_are_saved(course_folder):
    from llmcourse.grading.course import Course

    course = Course(course_folder)
    configured = course._app.config.GenerateAssignment.preprocessors
    assert configured.index(DueDates) > configured.index(SaveCells)
