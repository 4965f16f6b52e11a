"""Rows of the report from a gradebook; tests/cli/test_grade.py compares them with ``nbgrader export``."""

import shutil

import pytest
from graded import error, graded, store
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
    assert all(row.messages == ("", "") for row in report.rows)
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
    assert all(row.messages == ("", "") for row in report.rows)
    assert [(column.name, column.max_points) for column in report.columns] == [
        ("test_double", 1), ("test_double_more", 2), ("test_mean", 3)
    ]  # fmt: skip


LONG = """\
def mean(values):
    total, count = 0.0, 0
    for value in values:
        if value is None or value != value:
            continue
        total += float(value)
        count += 1
    if not count:
        raise ValueError("nothing to average")
    return round(total / count, 12)
"""


def test_lost_points_have_a_reason_and_copies_are_named(course, source):
    failing = {
        "test_double_more": [error("AssertionError", "double(3) is 9:\n\x1b[31m is it squared?\x1b[0m")],
        "test_mean": [error("ValueError", "nothing to average")],
    }
    copy = LONG.replace("value", "x").replace("total", "acc").replace("    for", "    # sum up\n    for")
    scores = {"test_double": 1, "test_double_more": 0, "test_mean": 0}
    answers = {"anna": LONG, "ben": copy, "carl": "def mean(values):\n    return sum(values) / len(values)\n"}
    for student, mean in answers.items():
        store(course, ASSIGNMENT, student, graded(source, answers={"mean": mean}, outputs=failing), scores)
    with course.gradebook() as gradebook:
        gradebook.find_grade("test_mean", "steps", ASSIGNMENT, "carl").manual_score = 3
        gradebook.db.commit()
    report = make_report(course, ASSIGNMENT)
    says = "double(3) is 9: is it squared?"
    assert {row.student: row.messages for row in report.rows} == {
        "anna": (says, "ValueError: nothing to average"),
        "ben": (says, "ValueError: nothing to average"),
        "carl": (says, ""),  # a person gave the points
    }
    (pair,) = report.similar
    assert (pair.first, pair.second) == ("anna", "ben")
    assert [(item.name, round(item.similarity, 2)) for item in pair.functions] == [("steps/mean", 1.0)]
    assert [row.student for row in make_report(course, ASSIGNMENT, student="ben").rows] == ["ben"]
    assert make_report(course, ASSIGNMENT, student="nobody").rows == ()


def test_a_graded_notebook_that_is_damaged_costs_only_its_reasons(course, source):
    store(course, ASSIGNMENT, "anna", graded(source), {"test_double": 1, "test_double_more": 0, "test_mean": 0})
    (course.autograded("anna", ASSIGNMENT) / "steps.ipynb").write_text("{")
    (row,) = make_report(course, ASSIGNMENT).rows
    assert (row.points, row.messages) == ((1, 0), ("", ""))
