"""What happened when a submission was graded, kept beside the graded notebooks.

nbgrader's gradebook keeps marks, but not why a submission has none, nor what exactly was graded. That stands in
``autograded/.records/<assignment>/<student>.json``, where no command of nbgrader looks. It can be removed at any
time; the next ``llmcourse grade`` then grades everything again.
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from llmcourse.grading.course import Course, CourseError

__all__ = ["Record", "forget", "one_grader", "read_record", "write_record"]


@dataclass(frozen=True, kw_only=True)
class Record:
    """The digest of what was graded, why that failed if it did, remarks, and nbgrader's log."""

    digest: str
    reason: str | None
    remarks: list[str]
    log: str


def _path(course: Course, student: str, assignment: str) -> Path:
    return course.autograded(".records", assignment) / f"{student}.json"


def write_record(course: Course, student: str, assignment: str, record: Record) -> None:
    """Keep a record; an earlier one is replaced as a whole."""
    path = _path(course, student, assignment)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    try:
        fresh.write_text(json.dumps(asdict(record), indent=1), encoding="utf-8")
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def read_record(course: Course, student: str, assignment: str) -> Record | None:
    """Return the record of a submission; None where there is none that can be read."""
    try:
        return Record(**json.loads(_path(course, student, assignment).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def forget(course: Course, student: str, assignment: str) -> None:
    """Remove the record of a submission."""
    _path(course, student, assignment).unlink(missing_ok=True)


@contextmanager
def one_grader(course: Course) -> Iterator[None]:
    """Be the only one that grades the course; the system frees the place also where the grader is killed.

    Args:
        course: The course.

    Yields:
        Nothing.

    Raises:
        CourseError: Somebody else is grading it.
    """
    path = course.autograded(".records", "lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CourseError(f"another `llmcourse grade` is at work in {course.root}; wait for its end") from error
        yield
