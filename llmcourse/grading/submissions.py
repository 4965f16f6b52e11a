"""Finding what students handed in, and saying what is wrong with a file before anything is run."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from llmcourse.grading.course import Course, CourseError
from llmcourse.grading.due import parse_time
from llmcourse.grading.exercise import read_notebook

__all__ = ["Submission", "find_submissions", "misplaced"]

TIMESTAMP = "timestamp.txt"


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A student's folder for an assignment: ``submitted/<student>/<assignment>/``."""

    student: str
    assignment: str
    folder: Path
    expected: tuple[str, ...]

    def problem(self) -> str | None:
        """Return why this cannot be graded, with what to do about it; None when it can."""
        if (wrong := self._wrong_names()) is not None:
            return wrong
        try:
            self.timestamp()
            for name in self.expected:
                if (path := self.folder / f"{name}.ipynb").is_file():
                    read_notebook(path)
        except ValueError as error:
            return str(error)
        return None

    def _wrong_names(self) -> str | None:
        found = {path.stem for path in self.folder.glob("*.ipynb")}
        missing = [name for name in self.expected if name not in found]
        unknown = sorted(found - set(self.expected))
        want = ", ".join(f"{name}.ipynb" for name in missing)
        if missing and unknown:
            have = ", ".join(f"{name}.ipynb" for name in unknown)
            return f"wrong file name: it holds {have} where {want} is expected; rename the file and grade again"
        if len(missing) == len(self.expected):
            others = sorted(path.name for path in self.folder.iterdir() if path.name != TIMESTAMP)
            return f"no notebook: {want} is expected, and there is {', '.join(others) or 'nothing'}"
        return None

    def missing(self) -> list[str]:
        """Return the expected notebooks that were not handed in; each counts as 0 points."""
        return [name for name in self.expected if not (self.folder / f"{name}.ipynb").is_file()]

    def timestamp(self) -> datetime | None:
        """Read ``timestamp.txt``.

        Returns:
            When it was handed in, in UTC; None without that file.

        Raises:
            ValueError: The file holds no date.
        """
        path = self.folder / TIMESTAMP
        text = path.read_text(encoding="utf-8", errors="replace").strip() if path.is_file() else ""
        if not text:
            return None
        try:
            return parse_time(text)
        except ValueError as error:
            raise ValueError(f"{TIMESTAMP}: {error}") from error

    def digest(self) -> str:
        """Return a hash of everything that was handed in."""
        total = hashlib.sha256()
        for path in sorted(path for path in self.folder.rglob("*") if path.is_file()):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            total.update(f"{path.relative_to(self.folder)}\0{content}\0".encode(errors="surrogateescape"))
        return total.hexdigest()


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
    return str(path.relative_to(course.root))
