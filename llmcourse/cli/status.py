"""``llmcourse status``: how far a student is with the exercises."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from llmcourse.cli.check import STYLES
from llmcourse.cli.terminal import console, mistakes, problem, shown

if TYPE_CHECKING:
    from llmcourse.grading.check import Progress


def status(
    folder: Annotated[Path, typer.Argument(help="Where your exercises are")] = Path("exercises"),
    check: Annotated[bool, typer.Option(help="Check the notebooks that changed since their last check")] = False,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds for one cell, with --check")] = 30,
) -> None:
    """Show your progress over the exercises: each function done, partly done, or not started.

    This remembers what `llmcourse check` found last, and runs nothing unless you say `--check`. **changed** means that
    you have worked on a function since then.
    """
    with mistakes():
        found = _find(folder)
        if check:
            _check_changed(found, timeout)
            found = _find(folder)
    table = Table(title=f"Exercises in {shown(folder)}", title_justify="left", show_lines=True)
    for name in ("exercise", "functions", "points"):
        table.add_column(name, justify="right" if name == "points" else "left")
    for item in found:
        points = "–" if item.points is None else f"{item.points:g}"
        name = shown(item.notebook).removeprefix(f"{shown(folder)}/").removesuffix(".ipynb")
        table.add_row(name, _functions(item), f"{points} / {item.max_points:g}")
    console.print(table)
    _close(found)


def _find(folder: Path) -> "list[Progress]":
    from llmcourse.grading.check import progress
    from llmcourse.grading.course import CourseError

    if not folder.is_dir():
        raise CourseError(f"there is no folder {str(folder)!r}; name the one with your exercises, or make it: make lab")
    found = []
    for path in sorted(folder.rglob("*.ipynb")):
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue
        try:
            found.append(progress(path))
        except CourseError as error:
            console.print(f"[dim]skipped: {escape(str(error))}[/]")
    if not found:
        raise CourseError(f"{folder} holds no exercise; get them with: make lab")
    return found


def _check_changed(found: "list[Progress]", timeout_s: float) -> None:
    from llmcourse.grading.check import check_notebook
    from llmcourse.grading.course import CourseError

    for item in found:
        if item.points is None and any(state != "not started" for _, state in item.functions):
            try:
                with console.status(f"checking {shown(item.notebook)}"):
                    check_notebook(item.notebook, timeout_s=timeout_s)
            except CourseError as error:
                problem(error)


def _functions(item: "Progress") -> str:
    """Return a line for each state that some function is in."""
    lines = []
    for state, style in STYLES.items():
        if names := [escape(name) for name, found in item.functions if found == state]:
            lines.append(f"[{style}]{state}:[/] {', '.join(names)}")
    return "\n".join(lines)


def _close(found: "list[Progress]") -> None:
    states = [state for item in found for _, state in item.functions]
    done = sum(state == "done" for state in states)
    line = f"{done} of {len(states)} functions done"
    if stale := next((item for item in found if "changed" in dict(item.functions).values()), None):
        line += f"; check what you changed: llmcourse check {shown(stale.notebook)}"
    console.print(line)
