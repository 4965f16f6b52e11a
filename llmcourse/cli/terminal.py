"""What all verbs have in common: where they print, and how they say that something is wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from llmcourse.grading.course import Course

__all__ = ["USAGE", "console", "course_at", "mistakes", "problem", "shown"]

# Exit code for what the user has to mend first, as for a wrong option.
USAGE = 2

console = Console(highlight=False, soft_wrap=True)
_errors = Console(stderr=True, highlight=False, soft_wrap=True)


def problem(message: object) -> None:
    """Print what is wrong to stderr."""
    _errors.print(f"[bold red]Error:[/] {escape(str(message))}")


# By name, so that a command that needs none of them imports none of them.
_MENDABLE = ("CourseError", "GradebookError", "DiskFullError", "NotIsolatedError")


@contextmanager
def mistakes() -> Iterator[None]:
    """End with a message and exit code 2, without a traceback, at what the user can mend.

    Yields:
        Nothing.

    Raises:
        typer.Exit: Something has to be mended first.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] == "llmcourse":
            raise
        problem(f"this needs {error.name}, which is not installed: pip install 'llmcourse[grade]'")
        raise typer.Exit(USAGE) from error
    except Exception as error:
        if type(error).__name__ not in _MENDABLE:
            raise
        problem(error)
        raise typer.Exit(USAGE) from error


def course_at(folder: Path | None) -> "Course":
    """Open the course in a folder, or the one that the current folder is in."""
    from llmcourse.grading.course import Course

    return Course(folder) if folder else Course.find(Path.cwd())


def shown(path: Path) -> str:
    """Return a path as the user would type it, safe to print."""
    here = Path.cwd()
    absolute = path.resolve()
    return escape(str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute))
