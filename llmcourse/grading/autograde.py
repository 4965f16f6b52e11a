"""Marking submissions, one at a time, so that a bad one never stops the others."""

import hashlib
import shutil
from dataclasses import dataclass
from glob import escape
from typing import Any

from nbgrader.api import MissingEntry
from nbgrader.converters import Autograde

from llmcourse.grading.course import Course, CourseError
from llmcourse.grading.exercise import parts, read_notebook
from llmcourse.grading.records import Record, read_record, write_record
from llmcourse.grading.submissions import Submission

__all__ = ["Outcome", "check_released", "grade_submission"]

# What nbgrader's log ends in, and what that means to an instructor.
_MEANINGS = {
    "DeadKernelError": "the kernel died: the code ran out of memory, or ended the process",
    "UnresponsiveKernelError": "the kernel no longer answered: look for a loop that cannot be interrupted",
    "CellTimeoutError": "a cell ran out of time and could not be stopped: a loop in it catches every exception",
    "ValidationError": "a cell is no valid cell of a notebook, or lost nbgrader's marks",
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What grading a submission came to; points are None where it failed."""

    submission: Submission
    points: float | None
    max_points: float
    late_s: float
    needs_person: bool
    reason: str | None = None
    remarks: tuple[str, ...] = ()
    unchanged: bool = False


def check_released(course: Course, assignments: list[str]) -> None:
    """Make sure that the assignments can be graded.

    Args:
        course: The course.
        assignments: Names of assignments.

    Raises:
        CourseError: The gradebook knows nothing of an assignment.
    """
    with course.gradebook() as gradebook:
        known = {assignment.name for assignment in gradebook.assignments}
    if missing := [name for name in assignments if name not in known]:
        raise CourseError(f"not released yet: {', '.join(missing)}; run: llmcourse release {' '.join(missing)}")


def grade_submission(course: Course, submission: Submission, *, force: bool = False) -> Outcome:
    """Grade a submission as ``nbgrader autograde`` does, or say why that cannot be done.

    A submission that fails has no automatic marks in the gradebook, also where an earlier version of it had some.

    Args:
        course: The course.
        submission: What the student handed in.
        force: Grade it even if it was graded and has not changed.

    Returns:
        Its points, or the reason why there are none.
    """
    student, assignment = submission.student, submission.assignment
    digest = _digest(course, submission)
    record = read_record(course, student, assignment)
    autograded = course.autograded(student, assignment)
    if not force and record and record.digest == digest and not record.reason and autograded.is_dir():
        return _outcome(course, submission, record, unchanged=True)
    reason, log = submission.problem(), ""
    if reason is None:
        graded, log = course.convert(Autograde, escape(assignment), student=escape(student))
        reason = None if graded else _reason(log)
    remarks = [f"{name}.ipynb was not handed in: 0 points" for name in submission.missing()] if not reason else []
    if reason is None:
        remarks += _stopped(course, submission)
    else:
        _clear(course, submission)
    record = Record(digest=digest, reason=reason, remarks=remarks, log=log)
    write_record(course, student, assignment, record)
    return _outcome(course, submission, record)


def _digest(course: Course, submission: Submission) -> str:
    """Return a hash of what was handed in and of what it is graded by."""
    with course.gradebook() as gradebook:
        assignment = gradebook.find_assignment(submission.assignment)
        tests = sorted(
            (notebook.name, cell.name, cell.checksum or "")
            for notebook in assignment.notebooks
            for cell in notebook.source_cells
        )
        graded_by = repr((assignment.duedate, tests))
    return hashlib.sha256(f"{submission.digest()}{graded_by}".encode()).hexdigest()


def _reason(log: str) -> str:
    """Return the reason in nbgrader's log, which is the last line of a traceback."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if line.split(":", 1)[0].endswith(("Error", "Exception"))]
    last = next((line for line in reversed(errors) if "NbGraderException" not in line), lines[-1] if lines else "")
    meaning = next((text for name, text in _MEANINGS.items() if name in last.split(":", 1)[0]), None)
    return meaning or f"nbgrader could not grade it: {last}"


def _stopped(course: Course, submission: Submission) -> list[str]:
    """Return a remark for each function in whose cells time ran out."""
    remarks = []
    for path in sorted(course.autograded(submission.student, submission.assignment).glob("*.ipynb")):
        notebook = read_notebook(path)
        for part in parts(notebook):
            outputs = [out for i in part.answers + part.tests for out in notebook.cells[i].get("outputs", ())]
            if any(out.get("ename") == "CellTimeoutError" for out in outputs):
                remarks.append(f"{part.name} ran out of time and was stopped")
    return remarks


def _clear(course: Course, submission: Submission) -> None:
    """Take away what an earlier version of a failed submission got, and mark it for a person."""
    shutil.rmtree(course.autograded(submission.student, submission.assignment), ignore_errors=True)
    try:
        handed_in = {"timestamp": time} if (time := submission.timestamp()) else {}
    except ValueError:
        handed_in = {}
    with course.gradebook() as gradebook:
        gradebook.update_or_create_student(submission.student)
        entry = gradebook.update_or_create_submission(submission.assignment, submission.student, **handed_in)
        for notebook in entry.notebooks:
            notebook.late_submission_penalty = None
            for grade in notebook.grades:
                grade.auto_score = None
                grade.needs_manual_grade = True
        gradebook.db.commit()


def _outcome(course: Course, submission: Submission, record: Record, *, unchanged: bool = False) -> Outcome:
    with course.gradebook() as gradebook:
        points, max_points, late_s, needs_person = _marks(gradebook, submission)
    return Outcome(
        submission=submission,
        points=None if record.reason else points,
        max_points=max_points,
        late_s=late_s,
        needs_person=needs_person and record.reason is None,
        reason=record.reason,
        remarks=tuple(record.remarks),
        unchanged=unchanged,
    )


def _marks(gradebook: Any, submission: Submission) -> tuple[float, float, float, bool]:
    assignment = gradebook.find_assignment(submission.assignment)
    try:
        entry = gradebook.find_submission(submission.assignment, submission.student)
    except MissingEntry:
        return 0.0, assignment.max_score, 0.0, False
    points = max(0.0, entry.score - entry.late_submission_penalty)
    return points, entry.max_score, entry.total_seconds_late, entry.needs_manual_grade
