"""Grading submissions: workers run them, and this process alone writes to the gradebook.

What was graded and has not changed since is left as it is, so a run that was stopped, by Ctrl-C, by a kill or by a full
disk, goes on where it stopped when it is started again. Plain ``nbgrader autograde`` needs nothing of this, and gives
the same marks.
"""

import hashlib
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from nbgrader.api import MissingEntry

from llmcourse.grading.course import Course, CourseError
from llmcourse.grading.parcel import Executed, Parcel, ParcelError, pack_assignment, read_files
from llmcourse.grading.pool import Lost, Workers, run
from llmcourse.grading.records import one_grader, read_record
from llmcourse.grading.submissions import Submission
from llmcourse.grading.worker import execute
from llmcourse.grading.writer import Outcome, outcome_of, write

__all__ = ["check_released", "grade"]

_LOST = "each process that ran it was killed, by the code itself or for want of memory; grade it again to retry"


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


def grade(
    course: Course,
    found: list[Submission],
    workers: Workers,
    *,
    force: bool = False,
    limit: int | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[Outcome]:
    """Grade submissions as ``nbgrader autograde`` does, each with its points or the reason why it has none.

    A submission that fails has no automatic marks in the gradebook, also where an earlier version of it had some.

    Args:
        course: The course.
        found: What students handed in.
        workers: Who runs it.
        force: Grade also what was graded and has not changed.
        limit: Run at most so many.
        say: Is told what the run waits for.

    Yields:
        The outcome of each: first what has not changed, then the others as they are done.

    Raises:
        CourseError: Somebody else grades the course, or the workers have gone.
        DiskFullError: There is no room; all that was yielded is safe.
        GradebookError: The gradebook could not be used for a minute; all that was yielded is safe.
        KeyboardInterrupt: Was put off until the submission at hand was written and yielded.
    """
    with one_grader(course):
        assignments = {name: _Assignment(course, name) for name in {submission.assignment for submission in found}}
        due: list[Submission] = []
        with course.gradebook() as gradebook:
            for submission in found:
                digest = assignments[submission.assignment].digest(_parcel(submission))
                outcome = None if force else _unchanged(course, gradebook, submission, digest)
                if outcome is None:
                    due.append(submission)
                else:
                    yield outcome
        for (submission, digest), result in run(workers, execute, _tasks(assignments, due[:limit])):
            executed = Executed(notebooks={}, log="", reason=_LOST) if isinstance(result, Lost) else result
            yield from write(course, submission, digest, executed, say)


class _Assignment:
    """What all submissions to an assignment are graded by."""

    def __init__(self, course: Course, name: str) -> None:
        self._course, self._name = course, name
        with course.gradebook() as gradebook:
            assignment = gradebook.find_assignment(name)
            tests = sorted(
                (notebook.name, cell.name, cell.checksum or "")
                for notebook in assignment.notebooks
                for cell in notebook.source_cells
            )
            self._graded_by = repr((assignment.duedate, tests))

    def digest(self, parcel: Parcel) -> str:
        """Return a hash of what was handed in and of what it is graded by."""
        return hashlib.sha256(f"{parcel.digest()}{self._graded_by}".encode()).hexdigest()

    @cached_property
    def packed(self) -> bytes:
        """What workers must know of it."""
        return pack_assignment(self._course, self._name)


def _tasks(
    assignments: dict[str, _Assignment], due: list[Submission]
) -> Iterator[tuple[tuple[Submission, str], tuple[bytes, Parcel]]]:
    for submission in due:
        assignment, parcel = assignments[submission.assignment], _parcel(submission)
        yield (submission, assignment.digest(parcel)), (assignment.packed, parcel)


def _parcel(submission: Submission) -> Parcel:
    files, problem = {}, None
    try:
        files = read_files(submission.folder)
    except ParcelError as error:
        problem = str(error)
    return Parcel(
        student=submission.student,
        assignment=submission.assignment,
        expected=submission.expected,
        files=files,
        problem=problem,
    )


def _unchanged(course: Course, gradebook: Any, submission: Submission, digest: str) -> Outcome | None:
    """Return what an earlier run made of the same files by the same tests, if that is all still there."""
    record = read_record(course, submission.student, submission.assignment)
    if record is None or record.digest != digest or record.reason is not None:
        return None
    if not course.autograded(submission.student, submission.assignment).is_dir():
        return None
    try:
        return outcome_of(gradebook, submission, remarks=tuple(record.remarks), unchanged=True)
    except MissingEntry:  # another gradebook was put in place
        return None
