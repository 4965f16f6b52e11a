"""``llmcourse status``: how far a student is with the exercises."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from llmcourse.cli.check import STYLES, check_with_progress
from llmcourse.cli.terminal import console, mistakes, problem, shown

if TYPE_CHECKING:
    from llmcourse.grading.check import Progress, Standing


def status(
    folder: Annotated[Path, typer.Argument(help="Where your exercises are")] = Path("exercises"),
    check: Annotated[bool, typer.Option(help="Check the notebooks that changed since their last check")] = False,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds for one cell, with --check")] = 30,
) -> None:
    """Show your progress over the exercises: each function done, partly done, failing, or not started.

    This remembers what `llmcourse check` found last, and runs nothing unless you say `--check`. **changed** means that
    since then you have worked on a function, on one that it calls, or on a cell of your own above its tests; its points
    are those of the last check, and marked as old.
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
        name = shown(item.notebook).removeprefix(f"{shown(folder)}/").removesuffix(".ipynb")
        table.add_row(name, _functions(item), _points(item))
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
    from llmcourse.grading.course import CourseError

    for item in found:
        if _is_stale(item):
            try:
                check_with_progress(item.notebook, timeout_s)
            except CourseError as error:
                problem(error)


def _is_stale(item: "Progress") -> bool:
    return any(function.state == "changed" for function in item.functions)


def _functions(item: "Progress") -> str:
    """Return a line for each state that some function is in."""
    lines = []
    for state, style in STYLES.items():
        if names := [_name(function) for function in item.functions if function.state == state]:
            lines.append(f"[{style}]{state}:[/] {', '.join(names)}")
    return "\n".join(lines)


def _name(function: "Standing") -> str:
    if function.state != "changed" or function.points is None:
        return escape(function.name)
    return f"{escape(function.name)} (was {function.points:g} / {function.max_points:g})"


def _points(item: "Progress") -> str:
    points = "–" if item.points is None else f"{item.points:g}"
    old = f"\n[dim]{item.old_points:g} of them old[/]" if item.old_points else ""
    return f"{points} / {item.max_points:g}{old}"


def _close(found: "list[Progress]") -> None:
    states = [function.state for item in found for function in item.functions]
    line = f"{states.count('done')} of {len(states)} functions done"
    if stale := next((item for item in found if _is_stale(item)), None):
        line += f"; check what you changed: llmcourse check {shown(stale.notebook)}"
    console.print(line)
