"""The folder of the course as nbgrader sees it: its assignments, its gradebook, its converters."""

import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from nbgrader.api import Gradebook
from nbgrader.apps.baseapp import NbGrader
from nbgrader.converters import BaseConverter
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SAWarning
from traitlets.config import Config

from llmcourse.grading.room import DiskFullError, full
from llmcourse.grading.transaction import GradebookError, transaction

__all__ = ["CONFIGURATION", "Course", "CourseError"]

CONFIGURATION = "nbgrader_config.py"


class CourseError(ValueError):
    """What the user of the course can mend; the message says how."""


class Course:
    """A course folder, with the configuration that the ``nbgrader`` command would use in it.

    Args:
        root: The folder that holds ``nbgrader_config.py``.
        config: Used instead of that file, which then need not exist.

    Raises:
        CourseError: There is no such file in the folder.
    """

    def __init__(self, root: Path, config: Config | None = None) -> None:
        self.root = root.resolve()
        if config is None and not (self.root / CONFIGURATION).is_file():
            raise CourseError(f"{self.root} holds no {CONFIGURATION}; it is no course folder")
        self._app = _configured(self.root, config)

    @classmethod
    def find(cls, start: Path) -> "Course":
        """Open the course folder that ``start`` is, or is in.

        Args:
            start: Where to begin; its parents are tried too.

        Returns:
            The course.

        Raises:
            CourseError: Neither the folder nor one above it holds ``nbgrader_config.py``.
        """
        start = start.resolve()
        for folder in (start, *start.parents):
            if (folder / CONFIGURATION).is_file():
                return cls(folder)
        raise CourseError(
            f"neither {start} nor a folder above it holds {CONFIGURATION}; "
            "run this in the course's folder, or name it with --course"
        )

    @property
    def directory(self) -> CourseDirectory:
        """The folder's layout as nbgrader's converters know it."""
        return cast(CourseDirectory, self._app.coursedir)

    @property
    def config(self) -> Config:
        """All that the configuration says."""
        return self._app.config

    @property
    def solutions(self) -> Path:
        """The instructor's notebooks."""
        return self.root / self.directory.source_directory

    @property
    def submitted(self) -> Path:
        """What students handed in."""
        return self.root / self.directory.submitted_directory

    def released(self, assignment: str) -> Path:
        """Return the folder of what students get of an assignment."""
        return self.root / self.directory.release_directory / assignment

    def autograded(self, student: str, assignment: str) -> Path:
        """Return the folder of a graded submission."""
        return self.root / self.directory.autograded_directory / student / assignment

    def assignments(self) -> list[str]:
        """Return the names of all assignments: the folders of ``solutions/`` that hold a notebook."""
        return sorted({path.parent.name for path in self.solutions.glob("*/*.ipynb")})

    def notebooks(self, assignment: str) -> list[str]:
        """Return the names of an assignment's notebooks, without ``.ipynb``."""
        return sorted(path.stem for path in (self.solutions / assignment).glob("*.ipynb"))

    def select(self, names: Sequence[str]) -> list[str]:
        """Return the named assignments, all when none is named.

        Args:
            names: Names as on the command line; a path to the assignment's folder will do.

        Returns:
            Names that exist.

        Raises:
            CourseError: A name is unknown, or there is no assignment at all.
        """
        known = self.assignments()
        if not known:
            raise CourseError(f"{self.solutions} holds no assignment (no <assignment>/<notebook>.ipynb)")
        chosen = [Path(name).name for name in names]
        for name in chosen:
            if name not in known:
                raise CourseError(f"there is no assignment {name!r}; there are: {', '.join(known)}")
        return chosen or known

    @contextmanager
    def gradebook(self) -> Iterator[Any]:
        """Open the gradebook, and close it after.

        Yields:
            nbgrader's ``Gradebook``; the columns of its tables have no types that a checker could follow.

        Raises:
            CourseError: Nothing was released yet, so that there is none.
        """
        url = self.directory.db_url
        if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():
            raise CourseError(f"there is no gradebook at {url}; make it first: llmcourse release")
        with _quiet(), Gradebook(url, self.directory.course_id) as gradebook:
            yield gradebook

    @contextmanager
    def transaction(self, *, keep: bool = True) -> Iterator[None]:
        """Make one transaction of all that converters and :meth:`gradebook` write inside the block.

        Args:
            keep: Whether to keep what is written; otherwise it is taken back in any case.

        Yields:
            Nothing.

        Raises:
            GradebookError: The database cannot be used; nothing was written.
        """
        with transaction(self.directory.db_url, keep=keep):
            yield

    def convert(self, kind: Callable[..., BaseConverter], assignment: str, *, student: str = "*") -> tuple[bool, str]:
        """Run one of nbgrader's converters on an assignment, replacing what an earlier run made.

        Args:
            kind: ``GenerateAssignment``, ``Autograde`` or ``GenerateFeedback``, or what makes one.
            assignment: The assignment's name.
            student: Whose submission, as a file glob.

        Returns:
            Whether it succeeded, and its log.

        Raises:
            DiskFullError: There is no room for what it writes.
            GradebookError: The database cannot be used.
        """
        log = _Lines()
        self._app.log.addHandler(log)
        directory = self.directory
        before = directory.assignment_id, directory.student_id
        directory.assignment_id, directory.student_id = assignment, student
        try:
            converter = kind(coursedir=directory, parent=self._app)
            converter.force = True
            with _quiet():
                converter.start()
        except (Exception, SystemExit) as error:  # nbgrader leaves a course it cannot work on by either
            for cause in (error, log.error):
                if full(cause):
                    raise DiskFullError(str(cause)) from error
                if (fault := GradebookError.behind(cause)) is not None:
                    raise fault from error
            log.lines.append(f"{type(error).__name__}: {error}")
            return False, log.text
        finally:
            directory.assignment_id, directory.student_id = before
            self._app.log.removeHandler(log)
        return True, log.text


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep to itself what SQLAlchemy 2.1 says of nbgrader's way to add submissions, which does work."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=SAWarning, module=r"nbgrader\.api")
        yield


class _Lines(logging.Handler):
    """Collects what is logged, and the last exception, which nbgrader logs as text and then drops."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []
        self.error: BaseException | None = None

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        self.error = sys.exc_info()[1] or self.error

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def _configured(root: Path, config: Config | None) -> NbGrader:
    """Return nbgrader's application with its configuration, and silent."""
    app = _read(root) if config is None else NbGrader(config=config)
    if config is not None:
        app.coursedir = CourseDirectory(parent=app)
    app.log.handlers.clear()
    app.log.propagate = False
    return app


def _read(root: Path) -> NbGrader:
    """Return nbgrader's application with the configuration that the ``nbgrader`` command would find."""
    before, path = Path.cwd(), list(sys.path)
    os.chdir(root)  # nbgrader reads the configuration of the current folder too: that must be the course's
    try:
        app = NbGrader(raise_config_file_errors=True)  # else nbgrader goes on with its defaults
        app.initialize([], root=str(root))
    except (Exception, SystemExit) as error:  # the file is Python, and may fail in any way
        raise CourseError(f"{root / CONFIGURATION} cannot be read: {type(error).__name__}: {error}") from error
    finally:
        os.chdir(before)
        sys.path[:] = path
    return app
