"""``llmcourse release``: what students get, proved before it is handed out."""

from pathlib import Path
from typing import Annotated

import typer

from llmcourse.cli.terminal import console, course_at, mistakes, shown


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
    timeout: Annotated[float, typer.Option(min=1, help="Seconds for one cell of the solution")] = 60,
    course: Annotated[Path | None, typer.Option(help="The course's folder; else the current one or above")] = None,
) -> None:
    """Make the students' version of assignments in **release/**: no solutions, no hidden tests.

    Each is proved first: the solution gets full marks by its own tests, and no line of it, nor of a hidden test, is
    in what students get. An assignment that fails is not released. Nothing in `--output` is ever overwritten unless
    you say `--force`, since it may be somebody's work.
    """
    with mistakes():
        from llmcourse.grading.course import CourseError
        from llmcourse.grading.release import copy_release, release_assignment, zip_release

        opened = course_at(course)
        chosen = opened.select(assignments or [])
        if (keep or force) and output is None:
            raise CourseError("--keep and --force are about the files in --output; name it: --output exercises")
        if keep and output is not None:
            kept = [name for name in chosen if _complete(output / name, opened.notebooks(name))]
            chosen = [name for name in chosen if name not in kept]
            for name in kept:
                console.print(f"{shown(output / name)} is there, and is kept")
        done = []
        for name in chosen:
            with console.status(f"{name}: running the solution"):
                item = release_assignment(opened, name, timeout_s=timeout)
            done.append(item)
            target = item.folder
            if output is not None:
                copy_release(item, output, replace=force) if not keep else _add(item.folder, output / name)
                target = output / name
            console.print(
                f"[green]released[/] {shown(target)}: {item.functions} functions, {item.points:g} points; "
                "the solution gets them all, and is not in it"
            )
        if zip_file and done:
            path = zip_release(done, (output or opened.root / opened.directory.release_directory) / "exercises.zip")
            console.print(f"[green]packed[/] {shown(path)}")


def _complete(folder: Path, notebooks: list[str]) -> bool:
    return all((folder / f"{name}.ipynb").is_file() for name in notebooks)


def _add(source: Path, target: Path) -> None:
    """Copy the files that are not there yet."""
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        copy = target / path.relative_to(source)
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
