"""The only place that writes marks: what a worker ran becomes a student's marks, in one transaction, or not at all.

The record of a submission is removed before its marks are written and written after them. A grader that is killed, or
finds the disk full, therefore leaves each submission with all of its old marks or all of its new ones; where the
record is missing, the next run grades it again, which comes to the same marks.
"""

import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from glob import escape
from typing import Any

from llmcourse.grading.course import Course
from llmcourse.grading.halves import Marking
from llmcourse.grading.parcel import Executed
from llmcourse.grading.records import Record, forget, write_record
from llmcourse.grading.room import DiskFullError, check_room, full
from llmcourse.grading.submissions import Submission
from llmcourse.grading.transaction import GradebookError
from llmcourse.grading.worker import reason_in

__all__ = ["Outcome", "outcome_of", "write"]

# How long to wait for a gradebook that cannot be used, before each further attempt.
_WAITS_S = (1, 2, 4, 8, 15, 30)


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


class _NotMarkedError(Exception):
    """nbgrader could not mark what was run; takes the transaction back."""


def write(
    course: Course, submission: Submission, digest: str, executed: Executed, say: Callable[[str], None]
) -> Iterator[Outcome]:
    """Write what a submission came to, waiting for a gradebook that cannot be used.

    Args:
        course: The course.
        submission: The submission.
        digest: Of what was graded, for its record.
        executed: What a worker made of it.
        say: Is told what this waits for.

    Yields:
        Its outcome, once.

    Raises:
        DiskFullError: There is no room.
        GradebookError: The gradebook could not be used for a minute.
        KeyboardInterrupt: Came while this wrote, and was put off to the end of it.
    """
    for wait_s in (*_WAITS_S, None):
        check_room(course.root)
        outcome = None
        with _interrupts_put_off() as interrupts:
            try:
                outcome = _written(course, submission, digest, executed)
            except GradebookError as error:
                check_room(course.root)
                if wait_s is None:
                    raise
                say(f"the gradebook cannot be used ({error}); trying again in {wait_s} s")
        if outcome is not None:
            yield outcome
        if interrupts:
            raise KeyboardInterrupt
        if outcome is not None:
            return
        time.sleep(wait_s or 0)


@contextmanager
def _interrupts_put_off() -> Iterator[list[int]]:
    """Collect Ctrl-C instead of being stopped by it."""
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():  # no signal arrives here
        yield came
        return
    before = signal.signal(signal.SIGINT, lambda number, _frame: came.append(number))
    try:
        yield came
    finally:
        signal.signal(signal.SIGINT, before)


def _written(course: Course, submission: Submission, digest: str, executed: Executed) -> Outcome:
    student, assignment = submission.student, submission.assignment
    forget(course, student, assignment)
    try:
        outcome = _marked(course, submission, executed)
    except _NotMarkedError as error:
        log = f"{executed.log}\n{error}"
        executed = replace(executed, log=log, reason=reason_in(str(error)), remarks=())
        outcome = _marked(course, submission, executed)
    record = Record(digest=digest, reason=executed.reason, remarks=list(executed.remarks), log=executed.log)
    try:
        write_record(course, student, assignment, record)
    except OSError as error:
        if full(error):
            raise DiskFullError(str(error)) from error
        raise
    return outcome


def _marked(course: Course, submission: Submission, executed: Executed) -> Outcome:
    """Write the marks, or take away earlier ones, and return what they come to, all in one transaction."""
    with course.transaction():
        if executed.reason is None:
            marking = partial(Marking, executed=executed.notebooks)
            assignment, student = escape(submission.assignment), escape(submission.student)
            done, log = course.convert(marking, assignment, student=student)
            if not done:
                raise _NotMarkedError(log)
        else:
            _clear(course, submission)
        with course.gradebook() as gradebook:
            return outcome_of(gradebook, submission, reason=executed.reason, remarks=executed.remarks)


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


def outcome_of(
    gradebook: Any,
    submission: Submission,
    *,
    reason: str | None = None,
    remarks: tuple[str, ...] = (),
    unchanged: bool = False,
) -> Outcome:
    """Read what a submission came to.

    Args:
        gradebook: Of :meth:`llmcourse.grading.course.Course.gradebook`.
        submission: The submission.
        reason: Why it failed, where it did.
        remarks: What else its instructor should know.
        unchanged: Whether it was graded by an earlier run.

    Returns:
        Its marks.

    Raises:
        nbgrader.api.MissingEntry: The gradebook knows nothing of it.
    """
    points, max_points, late_s, needs_person = _marks(gradebook, submission)
    return Outcome(
        submission=submission,
        points=None if reason else points,
        max_points=max_points,
        late_s=late_s,
        needs_person=needs_person and reason is None,
        reason=reason,
        remarks=remarks,
        unchanged=unchanged,
    )


def _marks(gradebook: Any, submission: Submission) -> tuple[float, float, float, bool]:
    entry = gradebook.find_submission(submission.assignment, submission.student)
    points = max(0.0, entry.score - entry.late_submission_penalty)
    return points, entry.max_score, entry.total_seconds_late, entry.needs_manual_grade
