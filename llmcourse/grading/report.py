"""The marks of an assignment as rows, from nbgrader's gradebook and the graded notebooks.

Points are the gradebook's, in which a person may have changed them. Why points were lost, the outputs of the graded
notebook say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbformat.v4 import new_notebook
from nbgrader.api import MissingEntry

from llmcourse.grading.answers import Answer, read_answers
from llmcourse.grading.course import Course
from llmcourse.grading.exercise import parts, read_notebook
from llmcourse.grading.records import read_record
from llmcourse.grading.submissions import Submission, find_submissions

if TYPE_CHECKING:
    from llmcourse.grading.similarity import Pair

__all__ = ["Column", "Report", "Row", "make_report"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """A function of an assignment: its notebook, its name, the ids of its graded cells, its points."""

    notebook: str
    name: str
    cells: tuple[str, ...]
    max_points: float

    @property
    def label(self) -> str:
        """The notebook and the function, ``steps/double``."""
        return f"{self.notebook}/{self.name}"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A student's marks for an assignment.

    ``points`` and ``messages`` follow the report's columns: None where nothing was graded, and what the first failing
    test said where points were lost.
    """

    student: str
    last_name: str
    first_name: str
    email: str
    timestamp: datetime | None
    points: tuple[float | None, ...]
    messages: tuple[str, ...]
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
    """The marks of all students for an assignment, and whose submissions resemble each other."""

    assignment: str
    due: datetime | None
    max_score: float
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    similar: "tuple[Pair, ...]" = ()


def make_report(course: Course, assignment: str, *, student: str | None = None) -> Report:
    """Read the marks of an assignment.

    Args:
        course: The course.
        assignment: The assignment's name; it has to be in the gradebook.
        student: Read this student's marks only.

    Returns:
        A row for each student that the gradebook knows or that handed something in, sorted by name.
    """
    submissions = {submission.student: submission for submission in find_submissions(course, [assignment])}
    with course.gradebook() as gradebook:
        entry = gradebook.find_assignment(assignment)
        columns = tuple(_columns(course, entry))
        known = {entry.id for entry in gradebook.students} | set(submissions)
        names = sorted(known if student is None else known & {student})
        answers = {name: _answers(course.autograded(name, assignment), columns) for name in names}
        rows = [_row(course, gradebook, entry, columns, name, submissions.get(name), answers[name]) for name in names]
        return Report(
            assignment=assignment,
            due=entry.duedate,
            max_score=entry.max_score,
            columns=columns,
            rows=tuple(sorted(rows, key=lambda row: (row.last_name, row.first_name, row.student))),
            similar=_similar(answers, _answers(course.released(assignment), columns)),
        )


def _answers(folder: Path, columns: Sequence[Column]) -> dict[Column, Answer]:
    """Return what stands in a folder's notebooks."""
    read = {name: read_answers(folder / f"{name}.ipynb") for name in {column.notebook for column in columns}}
    return {column: found for column in columns if (found := read[column.notebook].get(column.cells[0]))}


def _similar(answers: Mapping[str, Mapping[Column, Answer]], released: Mapping[Column, Answer]) -> "tuple[Pair, ...]":
    from llmcourse.grading.similarity import similar_pairs  # imports scipy

    by_function: dict[str, dict[str, str]] = {}
    for student, found in answers.items():
        for column, answer in found.items():
            by_function.setdefault(column.label, {})[student] = answer.code
    return similar_pairs(by_function, {column.label: answer.code for column, answer in released.items()})


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
    answers: Mapping[Column, Answer],
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
    points = _points(entry, columns)
    return Row(
        student=name,
        last_name=(student and student.last_name) or "",
        first_name=(student and student.first_name) or "",
        email=(student and student.email) or "",
        timestamp=entry.timestamp if entry else None,
        points=points,
        messages=tuple(_message(*case) for case in zip(points, columns, map(answers.get, columns), strict=True)),
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


def _message(points: float | None, column: Column, answer: Answer | None) -> str:
    """Return why points were lost; a person may have given them since."""
    lost = points is not None and points < column.max_points
    return answer.message if lost and answer else ""


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
