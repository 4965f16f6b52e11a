"""The files for Canvas and Moodle, through ``nbgrader export`` itself."""

import csv
from datetime import UTC, datetime

import pytest
from graded import released_course
from nbgrader.apps import ExportApp

from llmcourse.grading.exporters import CanvasExporter, MoodleExporter

ASSIGNMENT = "01_arithmetic"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Return a course with a marked student, a late one, one to be marked, and one who handed nothing in."""
    course = released_course(tmp_path_factory.mktemp("export") / "course")
    with course.gradebook() as gradebook:
        gradebook.add_assignment("02_none")
        gradebook.update_or_create_assignment(ASSIGNMENT, duedate=datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None))
        gradebook.add_student("anna", first_name="Anna", last_name='Ång "A"', email="anna@x.org", lms_user_id="4711")
        gradebook.add_student("=ben", first_name="+Ben", last_name="@Bad", email="-b@x.org")
        for name in ("carl", "absent"):
            gradebook.add_student(name)
        for name in ("anna", "=ben", "carl"):
            gradebook.add_submission(ASSIGNMENT, name)
        for name, points in (("anna", 2.5), ("=ben", 3)):
            gradebook.find_grade("test_mean", "steps", ASSIGNMENT, name).auto_score = points
        notebook = gradebook.find_submission_notebook("steps", ASSIGNMENT, "anna")
        notebook.late_submission_penalty = 0.5
        gradebook.find_comment("mean", "steps", ASSIGNMENT, "anna").manual_comment = "=Well,\ndone"
        gradebook.db.commit()
    return course


def exported(course, kind, *, to, **chosen):
    with course.gradebook() as gradebook:
        kind(to=str(to), **chosen).export(gradebook)
    with to.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_canvas_gets_its_columns_and_points_possible(course, tmp_path):
    rows = exported(course, CanvasExporter, to=tmp_path / "canvas.csv")
    assert rows == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", ASSIGNMENT, "02_none"],
        ["    Points Possible", "", "", "", "", "6.0", "0.0"],
        ["absent", "", "", "absent", "", "", ""],
        ["carl", "", "", "carl", "", "", ""],
        ["'@Bad, +Ben", "", "", "'=ben", "", "3.0", ""],
        ['Ång "A", Anna', "4711", "", "anna", "", "2.0", ""],
    ]


def test_moodle_gets_grades_with_feedback(course, tmp_path):
    rows = exported(
        course, MoodleExporter, to=tmp_path / "moodle.csv", assignment=[ASSIGNMENT], student=["anna", "=ben"]
    )
    assert rows == [
        ["First name", "Last name", "Username", "ID number", "Email address",
         f"{ASSIGNMENT} (Real)", f"{ASSIGNMENT} (Feedback)"],
        ["'+Ben", "'@Bad", "'=ben", "'=ben", "'-b@x.org", "3.0", ""],
        ["Anna", 'Ång "A"', "anna", "4711", "anna@x.org", "2.0", "mean: =Well, done"],
    ]  # fmt: skip


def test_the_scores_are_those_of_nbgraders_own_export(course, tmp_path, monkeypatch):
    monkeypatch.chdir(course.root)
    for plugin, name in (("CanvasExporter", "canvas.csv"), ("MoodleExporter", "moodle.csv")):
        app = ExportApp()
        app.initialize([f"--exporter=llmcourse.grading.exporters.{plugin}"])
        app.start()
        assert (course.root / name).read_text(encoding="utf-8").count("\n") >= 5
    app = ExportApp()
    app.initialize(["--to", str(tmp_path / "own.csv")])
    app.start()
    with (tmp_path / "own.csv").open(newline="") as file:
        own = {
            row["student_id"]: float(row["score"]) for row in csv.DictReader(file) if row["assignment"] == ASSIGNMENT
        }
    with (course.root / "canvas.csv").open(newline="", encoding="utf-8") as file:
        ours = {row["SIS Login ID"].lstrip("'"): row[ASSIGNMENT] for row in csv.DictReader(file)}
    assert {name: float(score or 0) for name, score in ours.items() if name} == own
