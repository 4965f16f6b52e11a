"""Rows of the report from a gradebook; tests/cli/test_grade.py compares them with ``nbgrader export``."""

import shutil

import pytest
from nbgrader.converters import GenerateAssignment

from llmcourse.grading.course import Course
from llmcourse.grading.records import Record, write_record
from llmcourse.grading.report import make_report

ASSIGNMENT = "01_arithmetic"


@pytest.fixture
def course(course_folder):
    course = Course(course_folder)
    done, log = course.convert(GenerateAssignment, ASSIGNMENT)
    assert done, log
    return course


def test_every_student_has_a_row_with_a_state(course):
    for student in ("waiting", "broken", "lost"):
        folder = course.submitted / student / ASSIGNMENT
        folder.mkdir(parents=True)
        shutil.copy(course.released(ASSIGNMENT) / "steps.ipynb", folder)
    (course.submitted / "broken" / ASSIGNMENT / "steps.ipynb").write_text("")
    lost = Record(digest="d", reason="the kernel died", remarks=[], log="")
    write_record(course, "lost", ASSIGNMENT, lost)
    with course.gradebook() as gradebook:
        gradebook.add_student("absent", last_name="Aaronson")
        gradebook.add_student("marked", last_name="Zimmer")
        gradebook.add_submission(ASSIGNMENT, "marked")
        grade = gradebook.find_grade("test_double_more", "steps", ASSIGNMENT, "marked")
        grade.auto_score, grade.extra_credit = 2, 0.5
        gradebook.db.commit()
    report = make_report(course, ASSIGNMENT)
    assert [(column.name, column.max_points) for column in report.columns] == [("double", 3), ("mean", 3)]
    assert [(row.student, row.state, row.reason) for row in report.rows] == [
        ("broken", "failed", "steps.ipynb is empty"),
        ("lost", "failed", "the kernel died"),
        ("waiting", "not graded", "run: llmcourse grade"),
        ("absent", "not submitted", ""),
        ("marked", "graded", "its files are no longer in submitted/"),
    ]
    marked = report.rows[-1]
    assert (marked.points, marked.score, report.max_score) == ((2.5, None), 2.5, 6)


def test_functions_without_their_source_are_told_by_their_cells(course):
    (course.solutions / ASSIGNMENT / "steps.ipynb").unlink()
    report = make_report(course, ASSIGNMENT)
    assert [(column.name, column.max_points) for column in report.columns] == [
        ("test_double", 1), ("test_double_more", 2), ("test_mean", 3)
    ]  # fmt: skip
