"""``llmcourse release``: what students get, proved before it is handed out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmcourse.cli.terminal import console, course_at, mistakes, shown

if TYPE_CHECKING:
    from llmcourse.grading.course import Course
    from llmcourse.grading.release import Released


def release(
    assignments: Annotated[
        list[str] | None, typer.Argument(help="Folders of solutions/; all when none is named")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Copy the students' folders here as well, each as ASSIGNMENT/")
    ] = None,
    zip_file: Annotated[bool, typer.Option("--zip", help="Pack exercises.zip, in --output or in release/")] = False,
    keep: Annotated[bool, typer.Option(help="Leave assignments alone that are in --output already")] = False,
    force: Annotated[bool, typer.Option(help="Replace files in --output that differ")] = False,
    course: Annotated[Path | None, typer.Option(help="The course's folder; else the current one or above")] = None,
) -> None:
    """Make the students' version of assignments in **release/**: no solutions, no hidden tests.

    Each is proved first: the solution, run as a submission is, gets full marks by its own tests, and no line of it, nor
    of a hidden test, is in what students get. An assignment that fails is not released. Nothing in `--output` is ever
    overwritten unless you say `--force`, since it may be somebody's work.
    """
    with mistakes():
        from llmcourse.grading.course import CourseError
        from llmcourse.grading.release import zip_release

        opened = course_at(course)
        chosen = opened.select(assignments or [])
        if (keep or force) and output is None:
            raise CourseError("--keep and --force are about the files in --output; name it: --output exercises")
        kept = [name for name in chosen if keep and output and _complete(output / name, opened.notebooks(name))]
        for name in kept:
            console.print(f"{shown((output or opened.root) / name)} is there, and is kept")
        done = [_release(opened, name, output, keep, force) for name in chosen if name not in kept]
        if zip_file and done:
            path = zip_release(done, (output or opened.root / opened.directory.release_directory) / "exercises.zip")
            console.print(f"[green]packed[/] {shown(path)}")


def _release(course: "Course", name: str, output: Path | None, keep: bool, force: bool) -> "Released":
    """Release one assignment, copy it where that is asked for, and say so."""
    from llmcourse.grading.release import copy_release, release_assignment

    with console.status(f"{name}: running the solution"):
        item = release_assignment(course, name)
    if output is not None and keep:
        _add(item.folder, output / name)
    elif output is not None:
        copy_release(item, output, replace=force)
    functions = f"{item.functions} function{'s' if item.functions > 1 else ''}"
    console.print(
        f"[green]released[/] {shown(output / name if output else item.folder)}: {functions}, {item.points:g} points; "
        "the solution gets them all, and is not in it"
    )
    if not item.judged:
        console.print("[yellow]no sandbox here[/] so its tests were not tried as they will be graded: llmcourse doctor")
    return item


def _complete(folder: Path, notebooks: list[str]) -> bool:
    return all((folder / f"{name}.ipynb").is_file() for name in notebooks)


def _add(source: Path, target: Path) -> None:
    """Copy the files that are not there yet."""
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        copy = target / path.relative_to(source)
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
