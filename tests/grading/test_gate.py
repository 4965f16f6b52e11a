"""Plain ``nbgrader autograde`` leaves out what must not be copied or read, says so, and grades the others."""

import os
import shutil

import pytest
import small_course as SMALL
from nbgrader.converters import Autograde, GenerateAssignment

from llmcourse.grading.course import Course

ADDED = """
from nbgrader.preprocessors import SaveAutoGrades
c.Autograde.exporter_class = "llmcourse.grading.gate.Gate"
c.Autograde.autograde_preprocessors = [SaveAutoGrades]
"""


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """A course with its assignment released, and nothing handed in."""
    folder = SMALL.make_course(tmp_path_factory.mktemp("gate") / "course")
    with (folder / "nbgrader_config.py").open("a") as file:
        file.write(ADDED)
    assert Course(folder).convert(GenerateAssignment, SMALL.ASSIGNMENT)[0]
    return folder


@pytest.fixture
def course(released, tmp_path):
    return Course(shutil.copytree(released, tmp_path / "course"))


def _linked_solution(folder, course):
    (folder / "steps.ipynb").unlink()
    (folder / "steps.ipynb").symlink_to(course.solutions / SMALL.ASSIGNMENT / "steps.ipynb")


def _linked_gradebook(folder, course):
    (folder / "data.csv").symlink_to(course.root / "gradebook.db")


def _endless(folder, course):
    (folder / "zero").symlink_to("/dev/zero")


def _pipe(folder, course):
    os.mkfifo(folder / "timestamp.txt")


def _bomb(folder, course):
    (folder / "steps.ipynb").write_text("[" * 100_000)


STRANGE = {
    _linked_solution: "steps.ipynb is a symbolic link",
    _linked_gradebook: "data.csv is a symbolic link",
    _endless: "zero is a symbolic link",
    _pipe: "timestamp.txt is neither a file nor a folder",
    _bomb: "steps.ipynb is nested more than 100 deep",
}


@pytest.mark.parametrize("strange", STRANGE, ids=lambda strange: strange.__name__.strip("_"))
def test_a_submission_of_which_nothing_may_be_copied_fails_with_the_reason(course, strange):
    strange(SMALL.hand_in(course.root, "mallory", double=SMALL.GOOD_DOUBLE).parent, course)
    done, log = course.convert(Autograde, SMALL.ASSIGNMENT)
    assert not done
    assert STRANGE[strange] in log
    assert not course.autograded("mallory", SMALL.ASSIGNMENT).exists()


def test_the_others_are_graded(course):
    _pipe(SMALL.hand_in(course.root, "mallory", double=SMALL.GOOD_DOUBLE).parent, course)
    honest = SMALL.hand_in(course.root, "alice", double=SMALL.GOOD_DOUBLE).parent
    (honest / "data").mkdir()
    (honest / "data" / "numbers.csv").write_text("1,2")
    done, log = course.convert(Autograde, SMALL.ASSIGNMENT)
    assert done, log
    assert f"Not graded: {course.submitted / 'mallory' / SMALL.ASSIGNMENT}: timestamp.txt is neither" in log
    assert (course.autograded("alice", SMALL.ASSIGNMENT) / "data" / "numbers.csv").is_file()
    with course.gradebook() as gradebook:
        assert [entry.student.id for entry in gradebook.assignment_submissions(SMALL.ASSIGNMENT)] == ["alice"]
