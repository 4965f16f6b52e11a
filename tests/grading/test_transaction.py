"""All that nbgrader writes inside a transaction is there afterwards, or none of it."""

import os
import pickle
import sqlite3
import sysconfig

import nbgrader.api
import pytest
from nbgrader.api import Gradebook, InvalidEntry

from llmcourse.grading import transaction as module
from llmcourse.grading.transaction import GradebookError, transaction


@pytest.fixture
def url(tmp_path, monkeypatch):
    # nbgrader calls the program `alembic` when it makes a gradebook
    monkeypatch.setenv("PATH", os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]]))
    url = f"sqlite:///{tmp_path / 'gradebook.db'}"
    Gradebook(url).close()
    return url


def students(url):
    with Gradebook(url) as gradebook:
        return [student.id for student in gradebook.students]


def add(url, name):
    with Gradebook(url) as gradebook:
        gradebook.add_student(name)


def test_what_is_committed_inside_is_seen_at_once_and_kept_at_the_end(url, tmp_path):
    with transaction(url):
        add(url, "anna")
        assert students(url) == ["anna"]
        with sqlite3.connect(tmp_path / "gradebook.db") as other:
            assert other.execute("SELECT count(*) FROM student").fetchone() == (0,)
        add(url, "bert")
    assert students(url) == ["anna", "bert"]


def test_an_exception_takes_everything_back(url):
    with pytest.raises(KeyboardInterrupt), transaction(url):
        add(url, "anna")
        raise KeyboardInterrupt
    assert students(url) == []
    with transaction(url, keep=False):
        add(url, "bert")
    assert students(url) == []


def test_nothing_is_patched_outside(url):
    original = nbgrader.api.create_engine, Gradebook.__init__
    with transaction(url):
        assert nbgrader.api.create_engine is not original[0]
        assert Gradebook.__init__ is not original[1]
    with pytest.raises(ZeroDivisionError), transaction(url):
        raise ZeroDivisionError
    assert (nbgrader.api.create_engine, Gradebook.__init__) == original


def test_a_gradebook_that_joins_is_like_one_that_was_opened(url):
    with transaction(url), Gradebook(url) as first, Gradebook(url) as second:
        assert set(vars(first)) == set(vars(second))
        assert (first.engine, first.course_id) == (second.engine, second.course_id)
        with Gradebook(url, "another") as other:  # its course is made
            assert {course.id for course in other.db.query(nbgrader.api.Course)} == {"another", "default_course"}


def test_what_nbgrader_refuses_is_no_fault_of_the_database(url):
    add(url, "anna")
    with pytest.raises(InvalidEntry), transaction(url):
        add(url, "anna")


def test_a_locked_database_is_told_from_other_faults_and_across_processes(url, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_BUSY_S", 0.05)
    with sqlite3.connect(tmp_path / "gradebook.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(GradebookError, match="database is locked") as caught, transaction(url):
            pass
    assert str(pickle.loads(pickle.dumps(caught.value))) == "database is locked"
