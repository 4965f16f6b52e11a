"""The course folder: where it is found, what is in it, what is wrong with it."""

import os
from pathlib import Path

import pytest
from nbgrader.converters import Autograde

from llmcourse.grading.course import Course, CourseError


@pytest.fixture
def course(course_folder):
    return Course(course_folder)


def test_a_course_is_found_from_within(course_folder, tmp_path):
    inner = course_folder / "solutions" / "01_arithmetic"
    assert Course.find(inner).root == course_folder
    with pytest.raises(CourseError, match="name it with --course"):
        Course.find(tmp_path)


def test_opening_a_course_leaves_the_current_folder_alone(course, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Course(course.root)
    assert Path.cwd() == tmp_path


def test_the_configuration_sets_the_folders(course):
    assert course.solutions == course.root / "solutions"
    assert course.submitted == course.root / "submitted"
    assert course.released("a") == course.root / "release" / "a"
    assert course.autograded("s", "a") == course.root / "autograded" / "s" / "a"
    assert course.directory.db_url == f"sqlite:///{course.root}/gradebook.db"


def test_a_configuration_that_fails_is_named(course_folder):
    (course_folder / "nbgrader_config.py").write_text("this is no Python")
    with pytest.raises(CourseError, match=r"nbgrader_config\.py"):
        Course(course_folder)


def test_assignments_are_folders_with_notebooks(course):
    (course.solutions / "99_empty").mkdir()
    assert course.assignments() == course.select([]) == ["01_arithmetic"]
    assert course.notebooks("01_arithmetic") == ["steps"]
    assert course.select(["solutions/01_arithmetic/"]) == ["01_arithmetic"]


def test_unknown_and_absent_assignments_are_refused(course):
    with pytest.raises(CourseError, match="no assignment '99_empty'; there are: 01_arithmetic"):
        course.select(["99_empty"])
    (course.solutions / "01_arithmetic" / "steps.ipynb").unlink()
    with pytest.raises(CourseError, match="holds no assignment"):
        course.select([])


def test_asking_for_a_missing_gradebook_does_not_make_one(course):
    with pytest.raises(CourseError, match="llmcourse release"), course.gradebook():
        pass
    assert not (course.root / "gradebook.db").exists()


def test_a_converter_that_fails_returns_its_log_and_the_folder(course):
    before = os.getcwd()  # noqa: PTH109 (what nbgrader changes)
    done, log = course.convert(Autograde, "01_arithmetic")
    assert not done
    assert "No notebooks were matched" in log
    assert os.getcwd() == before  # noqa: PTH109
    assert course.directory.assignment_id == ""
