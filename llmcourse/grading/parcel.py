"""What travels between the grader and its workers: everything by value, so that no disk need be shared.

A worker gets the assignment as the instructor made it (:func:`pack_assignment`: configuration, files, and a gradebook
with nobody in it) and one submission (:class:`Parcel`), and gives back notebooks that were run (:class:`Executed`). It
sees neither the gradebook nor other submissions.
"""

import functools
import hashlib
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path

import cloudpickle
from nbgrader.api import Base
from sqlalchemy import create_engine, insert, select

from llmcourse.grading.course import Course
from llmcourse.grading.intake import MAX_FOLDER_BYTES, plain_bytes, plain_files, unsafe

__all__ = ["Executed", "Parcel", "ParcelError", "pack_assignment", "read_files", "unpack_assignment", "write_files"]

# Who is in the course and what they got stays with the grader.
_PRIVATE = {"student", "submitted_assignment", "submitted_notebook", "grade", "comment"}
_FOLDERS = {"source_directory": "solutions", "submitted_directory": "submitted", "autograded_directory": "autograded"}


class ParcelError(ValueError):
    """A submission cannot be read; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """One submission: its files by their path in its folder, or why they cannot be had."""

    student: str
    assignment: str
    expected: tuple[str, ...]
    files: dict[str, bytes]
    problem: str | None = None

    def digest(self) -> str:
        """Return a hash of what was handed in."""
        total = hashlib.sha256()
        for name, content in sorted(self.files.items()):
            total.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\0".encode(errors="surrogateescape"))
        return total.hexdigest()


@dataclass(frozen=True, kw_only=True)
class Executed:
    """The notebooks that were run, as text by their names, or the reason why there are none; and nbgrader's log."""

    notebooks: dict[str, str]
    log: str
    reason: str | None = None
    remarks: tuple[str, ...] = ()


def read_files(folder: Path) -> dict[str, bytes]:
    """Read the regular files of a submission.

    Args:
        folder: The submission's.

    Returns:
        Their content by their path in the folder.

    Raises:
        ParcelError: They cannot all be read, or must not be.
    """
    if (wrong := unsafe(folder)) is not None:
        raise ParcelError(wrong)
    try:
        return {
            str(path.relative_to(folder)): plain_bytes(path, limit=MAX_FOLDER_BYTES) for path in plain_files(folder)
        }
    except (OSError, ValueError) as error:
        raise ParcelError(str(error)) from error


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    """Write what :func:`read_files` read into another folder.

    Args:
        folder: Need not exist.
        files: Their content by their path in the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def pack_assignment(course: Course, assignment: str) -> bytes:
    """Return all that a worker must know of an assignment.

    Args:
        course: The course, in which the assignment was released.
        assignment: Its name.

    Returns:
        For :func:`unpack_assignment`; the same bytes are understood by the same versions of Python and of the course.
    """
    folder = course.solutions / assignment
    files = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    return cloudpickle.dumps((assignment, course.config, files, _gradebook_of_nobody(course)))


def _gradebook_of_nobody(course: Course) -> bytes:
    """Return a database of SQLite with the assignments' cells and no student."""
    with tempfile.TemporaryDirectory() as folder, course.gradebook() as gradebook:
        path = Path(folder) / "gradebook.db"
        engine = create_engine(f"sqlite:///{path}")
        Base.metadata.create_all(engine)
        with engine.begin() as target:
            for table in Base.metadata.sorted_tables:
                if table.name in _PRIVATE:
                    continue
                rows = [dict(row) for row in gradebook.db.execute(select(table)).mappings()]
                if rows:
                    target.execute(insert(table), rows)
        engine.dispose()
        return path.read_bytes()


@functools.lru_cache(maxsize=8)
def unpack_assignment(packed: bytes) -> Course:
    """Make a course folder that holds one assignment and nobody's submission.

    Args:
        packed: Of :func:`pack_assignment`; must come from a grader that is trusted.

    Returns:
        The course, in a temporary folder that goes when the process ends; the same one while it is among the last few.
    """
    assignment, config, files, gradebook = cloudpickle.loads(packed)
    folder = tempfile.TemporaryDirectory(prefix="llmcourse-worker-", ignore_cleanup_errors=True)
    root = Path(folder.name)
    write_files(root / "solutions" / assignment, files)
    (root / "gradebook.db").write_bytes(gradebook)
    place = {"root": str(root), "db_url": f"sqlite:///{root / 'gradebook.db'}"}
    config.CourseDirectory.update(_FOLDERS | place)
    course = Course(root, config)
    weakref.finalize(course, folder.cleanup)
    return course
