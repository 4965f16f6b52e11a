"""The marks of an assignment as rows, from nbgrader's gradebook."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from nbformat.v4 import new_notebook
from nbgrader.api import MissingEntry

from llmcourse.grading.course import Course
from llmcourse.grading.exercise import parts, read_notebook
from llmcourse.grading.records import read_record
from llmcourse.grading.submissions import Submission, find_submissions

__all__ = ["Column", "Report", "Row", "make_report", "write_csv"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """A function of an assignment: its notebook, its name, the ids of its graded cells, its points."""

    notebook: str
    name: str
    cells: tuple[str, ...]
    max_points: float


@dataclass(frozen=True, kw_only=True)
class Row:
    """A student's marks for an assignment; ``points`` follows the report's columns, None where nothing was graded."""

    student: str
    last_name: str
    first_name: str
    email: str
    timestamp: datetime | None
    points: tuple[float | None, ...]
    raw_score: float
    penalty: float
    late_s: float
    state: str  # graded, needs a person, failed, not graded, not submitted
    reason: str = ""

    @property
    def score(self) -> float:
        """The points that count: those of the tests less the penalty, as ``nbgrader export`` has it."""
        return max(0.0, self.raw_score - self.penalty)


@dataclass(frozen=True, kw_only=True)
class Report:
    """The marks of all students for an assignment."""

    assignment: str
    due: datetime | None
    max_score: float
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def make_report(course: Course, assignment: str) -> Report:
    """Read the marks of an assignment.

    Args:
        course: The course.
        assignment: The assignment's name; it has to be in the gradebook.

    Returns:
        A row for each student that the gradebook knows or that handed something in, sorted by name.
    """
    submissions = {submission.student: submission for submission in find_submissions(course, [assignment])}
    with course.gradebook() as gradebook:
        entry = gradebook.find_assignment(assignment)
        columns = tuple(_columns(course, entry))
        students = {student.id for student in gradebook.students} | set(submissions)
        rows = [_row(course, gradebook, entry, columns, student, submissions.get(student)) for student in students]
        return Report(
            assignment=assignment,
            due=entry.duedate,
            max_score=entry.max_score,
            columns=columns,
            rows=tuple(sorted(rows, key=lambda row: (row.last_name, row.first_name, row.student))),
        )


def _columns(course: Course, assignment: Any) -> list[Column]:
    """Return the functions in the notebook's order; graded cells of no function stand for themselves."""
    columns = []
    for notebook in assignment.notebooks:
        worth = {cell.name: cell.max_score for cell in [*notebook.grade_cells, *notebook.task_cells]}
        source = course.solutions / assignment.name / f"{notebook.name}.ipynb"
        exercise = read_notebook(source) if source.is_file() else new_notebook()
        for part in parts(exercise):
            ids = [exercise.cells[i].metadata.nbgrader["grade_id"] for i in part.tests]
            points = [worth.pop(name) for name in ids if name in worth]
            columns.append(Column(notebook=notebook.name, name=part.name, cells=tuple(ids), max_points=sum(points)))
        columns += [
            Column(notebook=notebook.name, name=name, cells=(name,), max_points=points)
            for name, points in sorted(worth.items())
        ]
    return columns


def _row(
    course: Course,
    gradebook: Any,
    assignment: Any,
    columns: Sequence[Column],
    name: str,
    submission: Submission | None,
) -> Row:
    try:
        student = gradebook.find_student(name)
    except MissingEntry:
        student = None
    try:
        entry = gradebook.find_submission(assignment.name, name)
    except MissingEntry:
        entry = None
    state, reason = _state(course, entry, submission)
    return Row(
        student=name,
        last_name=(student and student.last_name) or "",
        first_name=(student and student.first_name) or "",
        email=(student and student.email) or "",
        timestamp=entry.timestamp if entry else None,
        points=_points(entry, columns),
        raw_score=entry.score if entry else 0.0,
        penalty=entry.late_submission_penalty if entry else 0.0,
        late_s=entry.total_seconds_late if entry else 0.0,
        state=state,
        reason=reason,
    )


def _points(entry: Any, columns: Sequence[Column]) -> tuple[float | None, ...]:
    if entry is None:
        return (None,) * len(columns)
    grades = {(notebook.name, grade.name): grade for notebook in entry.notebooks for grade in notebook.grades}
    found: list[float | None] = []
    for column in columns:
        own = [grades[column.notebook, cell] for cell in column.cells if (column.notebook, cell) in grades]
        marked = [grade for grade in own if grade.auto_score is not None or grade.manual_score is not None]
        found.append(sum(grade.score for grade in marked) if marked else None)
    return tuple(found)


def _state(course: Course, entry: Any, submission: Submission | None) -> tuple[str, str]:
    if submission is None:
        return ("graded", "its files are no longer in submitted/") if entry else ("not submitted", "")
    if entry and course.autograded(submission.student, submission.assignment).is_dir():
        record = read_record(course, submission.student, submission.assignment)
        remarks = "; ".join(record.remarks) if record and not record.reason else ""
        return "needs a person" if entry.needs_manual_grade else "graded", remarks
    record = read_record(course, submission.student, submission.assignment)
    reason = record.reason if record and record.reason else submission.problem()
    return ("failed", reason) if reason else ("not graded", "run: llmcourse grade")


_EXPORTED = ("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email")
_EXPORTED += ("raw_score", "late_submission_penalty", "score", "max_score")


def write_csv(reports: Sequence[Report], path: Path) -> None:
    """Write the columns of ``nbgrader export`` with the same numbers, then lateness, state, reason and functions.

    Args:
        reports: Assignments, one after another; a function is a column ``assignment/notebook/function``.
        path: The file to write. Text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    functions = [_heading(report, column) for report in reports for column in report.columns]
    header = [*_EXPORTED, "seconds_late", "state", "reason", *dict.fromkeys(functions)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, header, restval="")
        writer.writeheader()
        for report in reports:
            for row in report.rows:
                writer.writerow({name: _inert(value) for name, value in _fields(report, row).items()})


def _heading(report: Report, column: Column) -> str:
    return f"{report.assignment}/{column.notebook}/{column.name}"


def _fields(report: Report, row: Row) -> dict[str, Any]:
    fields = (report.assignment, report.due, row.timestamp, row.student, row.last_name, row.first_name, row.email)
    fields += (row.raw_score, row.penalty, row.score, report.max_score)
    beside = {"seconds_late": row.late_s, "state": row.state, "reason": row.reason}
    functions = {_heading(report, column): points for column, points in zip(report.columns, row.points, strict=True)}
    return dict(zip(_EXPORTED, fields, strict=True)) | beside | functions


def _inert(value: object) -> object:
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
