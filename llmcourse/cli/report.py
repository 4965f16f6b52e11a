"""``llmcourse report``: the marks, in the terminal, as a page and as a table."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from llmcourse.cli.terminal import console, course_at, mistakes, shown

if TYPE_CHECKING:
    from llmcourse.grading.report import Report, Row

STYLES = {"graded": "green", "failed": "red", "needs a person": "cyan", "not graded": "yellow", "not submitted": "dim"}


def report(
    assignment: Annotated[
        str | None, typer.Argument(help="A folder of solutions/; all that were released if none")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page that needs nothing else")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the numbers of `nbgrader export`, and the functions'")] = None,
    course: Annotated[Path | None, typer.Option(help="The course's folder; else the current one or above")] = None,
) -> None:
    """Show the marks of each student: points per function, total, lateness, and why something failed."""
    with mistakes():
        from llmcourse.grading.autograde import check_released
        from llmcourse.grading.page import write_html
        from llmcourse.grading.report import make_report, write_csv

        opened = course_at(course)
        with opened.gradebook() as gradebook:
            released = {entry.name for entry in gradebook.assignments}
        chosen = opened.select([assignment] if assignment else [])
        if assignment:
            check_released(opened, chosen)
        reports = [make_report(opened, name) for name in chosen if name in released]
        for item in reports:
            console.print(_table(item))
            for row in item.rows:
                if row.reason:
                    console.print(f"  {escape(row.student)}: {escape(row.reason)}")
            console.print()
        for path, write in ((html, write_html), (csv, write_csv)):
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                write(reports, path)
                console.print(f"wrote {shown(path)}")


def _table(item: "Report") -> Table:
    due = f", due {item.due:%Y-%m-%d %H:%M} UTC" if item.due else ""
    narrow = console.width < 100  # six functions fit into 80 characters
    table = Table(title=f"{escape(item.assignment)}{due}", title_justify="left", box=box.SIMPLE_HEAD)
    table.show_edge, table.padding = False, (0, 0 if narrow else 1)
    late = any(row.late_s > 0 for row in item.rows)
    table.add_column("student", overflow="fold")
    for column in item.columns:
        name = escape(column.name).replace("_", "_\n") if narrow else escape(column.name)
        table.add_column(f"{name}\n[dim]of {column.max_points:g}[/]", justify="right")
    table.add_column(f"total\n[dim]of {item.max_score:g}[/]", justify="right")
    if late:
        table.add_column("late", no_wrap=True)
    table.add_column("state", no_wrap=True)
    for row in item.rows:
        points = ("–" if value is None else f"{value:g}" for value in row.points)
        lateness = [_late(row)] if late else []
        state = f"[{STYLES[row.state]}]{row.state}[/]"
        table.add_row(escape(row.student), *points, f"[bold]{row.score:g}[/]", *lateness, state)
    return table


def _late(row: "Row") -> str:
    if row.late_s <= 0:
        return ""
    from llmcourse.grading.page import duration

    return duration(row.late_s) + (f", -{row.penalty:g}" if row.penalty else "")
