"""Finding what students handed in, and saying what is wrong with a file before anything is run."""

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import nbformat

from llmcourse.grading.claims import handed_cells
from llmcourse.grading.course import Course, CourseError
from llmcourse.grading.due import parse_time
from llmcourse.grading.exercise import read_notebook
from llmcourse.grading.intake import notebook_bomb, plain_bytes, shown, unsafe

__all__ = ["Submission", "find_submissions", "misplaced"]

TIMESTAMP = "timestamp.txt"
_TIMESTAMP_BYTES = 200
_LISTED = 10
_REASON_CHARACTERS = 400


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A student's folder for an assignment: ``submitted/<student>/<assignment>/``."""

    student: str
    assignment: str
    folder: Path
    expected: tuple[str, ...]

    def problem(self) -> str | None:
        """Return why this cannot be graded, with what to do about it; None when it can.

        Whatever the folder holds, nothing is raised, no link is followed, and time and memory are bounded.
        """
        try:
            reason = unsafe(self.folder) or self._wrong_names() or self._bombs()
            if reason is None:
                self.timestamp()
                for name in self.expected:
                    if (path := self.folder / f"{name}.ipynb").is_file():
                        _read(path)
        except Exception as error:  # hostile files meet parsers that were not written for them
            reason = (
                str(error) if isinstance(error, ValueError) else f"it cannot be read: {type(error).__name__}: {error}"
            )
        return None if reason is None else _one_line(reason)

    def _bombs(self) -> str | None:
        reasons = (notebook_bomb(path) for path in sorted(self.folder.glob("*.ipynb")) if path.is_file())
        return next((reason for reason in reasons if reason), None)

    def _wrong_names(self) -> str | None:
        found = {path.stem for path in self.folder.glob("*.ipynb") if path.is_file()}
        missing = [name for name in self.expected if name not in found]
        unknown = sorted(found - set(self.expected))
        want = ", ".join(f"{name}.ipynb" for name in missing)
        if missing and unknown:
            have = _listed([f"{name}.ipynb" for name in unknown])
            return f"wrong file name: it holds {have} where {want} is expected; rename the file and grade again"
        if len(missing) == len(self.expected):
            others = sorted(path.name for path in self.folder.iterdir() if path.name != TIMESTAMP)
            return f"no notebook: {want} is expected, and there is {_listed(others) or 'nothing'}"
        return None

    def missing(self) -> list[str]:
        """Return the expected notebooks that were not handed in; each counts as 0 points."""
        return [name for name in self.expected if not (self.folder / f"{name}.ipynb").is_file()]

    def timestamp(self) -> datetime | None:
        """Read ``timestamp.txt``.

        Returns:
            When it was handed in, in UTC; None without that file.

        Raises:
            ValueError: The file is no plain file, or holds no date.
        """
        path = self.folder / TIMESTAMP
        if not os.path.lexists(path):
            return None
        try:
            text = plain_bytes(path, limit=_TIMESTAMP_BYTES).decode("utf-8", errors="replace").strip()
        except ValueError as error:
            raise ValueError(f"{error}; it is to hold a date such as 2027-02-01 18:00:00 UTC") from error
        if not text:
            return None
        try:
            return parse_time(text)
        except ValueError as error:
            raise ValueError(f"{TIMESTAMP}: {error}") from error


def _read(path: Path) -> None:
    """Take a notebook as far as nbgrader does before its first preprocessor; raise ValueError with what is wrong."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nbformat warns of cells without ids, which it mends
        try:
            notebook = read_notebook(path)
            handed_cells(notebook)
            if not isinstance(notebook.metadata.get("language", ""), str):  # nbconvert writes it in small letters
                raise ValueError("its metadata name a language that is no text; save it in JupyterLab")
        except nbformat.NBFormatError as error:
            raise ValueError(f"{path.name}: {error}; save it in JupyterLab, which writes version 4") from error
        except RecursionError as error:
            raise ValueError(f"{path.name} is nested too deep to be read") from error
        except ValueError as error:
            raise ValueError(str(error) if path.name in str(error) else f"{path.name}: {error}") from error
        except Exception as error:
            broken = f"{path.name} is JSON, but no notebook that can be read ({type(error).__name__})"
            raise ValueError(f"{broken}; open it in JupyterLab and save it") from error


def _listed(names: list[str]) -> str:
    """Return file names as a list that stays a line, however many there are."""
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(shown(name) for name in names[:_LISTED]) + more


def _one_line(reason: str) -> str:
    """Return a reason without what a student's file could smuggle into a terminal or a log."""
    text = "".join(char if char.isprintable() else " " for char in reason)
    return text if len(text) <= _REASON_CHARACTERS else f"{text[:_REASON_CHARACTERS]}..."


def find_submissions(course: Course, assignments: list[str], *, student: str | None = None) -> list[Submission]:
    """Return the submissions to grade, by assignment, then student.

    Args:
        course: The course.
        assignments: Names of assignments.
        student: Only this student's.

    Returns:
        A submission for each folder that exists.

    Raises:
        CourseError: The student named handed in none of the assignments.
    """
    students = sorted(path.name for path in _folders(course.submitted))
    if student is not None:
        if student not in students:
            have = f"there are: {', '.join(students)}" if students else f"{course.submitted} is empty"
            raise CourseError(f"there is no student {student!r} in {course.submitted}; {have}")
        students = [student]
    found = [
        Submission(student=name, assignment=assignment, folder=folder, expected=tuple(course.notebooks(assignment)))
        for assignment in assignments
        for name in students
        if (folder := course.submitted / name / assignment).is_dir()
    ]
    if student is not None and not found:
        raise CourseError(f"student {student!r} handed in nothing for {', '.join(assignments)}")
    return found


def _folders(path: Path) -> Iterator[Path]:
    return (inner for inner in path.glob("*") if inner.is_dir() and not inner.name.startswith("."))


def misplaced(course: Course) -> list[str]:
    """Return what stands in ``submitted/`` where no grading will find it, each with the place it was looked for."""
    known, found = course.assignments(), []
    for notebook in sorted(course.submitted.glob("*.ipynb")):
        found.append(f"{_shown(course, notebook)}: expected in submitted/<student>/<assignment>/")
    for student in sorted(_folders(course.submitted)):
        for notebook in sorted(student.glob("*.ipynb")):
            found.append(f"{_shown(course, notebook)}: expected in submitted/{student.name}/<assignment>/")
        for folder in sorted(_folders(student)):
            if folder.name not in known:
                found.append(f"{_shown(course, folder)}: no assignment has this name; there are: {', '.join(known)}")
    return found


def _shown(course: Course, path: Path) -> str:
    return _one_line(str(path.relative_to(course.root)))
