"""``llmcourse report``: the marks, and what they say of the class, in the terminal, as a page and as tables."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from llmcourse.cli.terminal import console, course_at, mistakes, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmcourse.grading.course import Course
    from llmcourse.grading.report import Report, Row

STYLES = {"graded": "green", "failed": "red", "needs a person": "cyan", "not graded": "yellow", "not submitted": "dim"}
# How much of a list the terminal shows; the page and the tables have all of it.
MOST = 10


def report(
    assignment: Annotated[
        str | None, typer.Argument(help="A folder of solutions/; all that were released if none")
    ] = None,
    student: Annotated[
        str | None, typer.Option(help="Only this student, with what the tests said, as their feedback has it")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page that needs nothing else")] = None,
    csv: Annotated[
        Path | None,
        typer.Option(
            help="Write the numbers of `nbgrader export`, and the functions'; beside it, tables of pass rates, "
            "misconceptions and similar submissions"
        ),
    ] = None,
    course: Annotated[Path | None, typer.Option(help="The course's folder; else the current one or above")] = None,
) -> None:
    """Show the marks of each student, why points were lost, and what they say of the class.

    Points per function, total, lateness, and why something failed; then how many passed each function, what went wrong
    and for how many, and which submissions resemble each other, for you to judge.
    """
    with mistakes():
        from llmcourse.grading.report import make_report

        opened = course_at(course)
        chosen = _chosen(opened, assignment)
        if student is not None:
            _show_student(opened, chosen, student)
            return
        reports = [make_report(opened, name) for name in chosen]
    for item in reports:
        _show(item)
    _write(reports, html, csv)


def _chosen(opened: "Course", assignment: str | None) -> list[str]:
    from llmcourse.grading.autograde import check_released

    with opened.gradebook() as gradebook:
        released = {entry.name for entry in gradebook.assignments}
    chosen = opened.select([assignment] if assignment else [])
    if assignment:
        check_released(opened, chosen)
    return [name for name in chosen if name in released]


def _write(reports: "Sequence[Report]", html: Path | None, csv: Path | None) -> None:
    from llmcourse.grading.page import write_html
    from llmcourse.grading.report_csv import write_tables

    written = []
    for path in (html, csv):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
    if html is not None:
        write_html(reports, html)
        written.append(html)
    if csv is not None:
        written += write_tables(reports, csv)
    for path in written:
        console.print(f"wrote {shown(path)}")


def _show(item: "Report") -> None:
    console.print(_table(item))
    for row in item.rows:
        if row.reason:
            console.print(f"  {escape(row.student)}: {escape(row.reason)}")
    console.print()
    _show_class(item)


def _show_class(item: "Report") -> None:
    """Print pass rates, misconceptions and similar submissions, as far as there are any."""
    from llmcourse.grading.misconceptions import misconceptions
    from llmcourse.grading.pass_rates import pass_rates

    rates = [rate for rate in pass_rates(item) if rate.share is not None]
    lines = [f"{rate.column.name}: {rate.passed} of {rate.graded} ({100 * (rate.share or 0):.0f}%)" for rate in rates]
    _list("Functions with all their points", lines, len(lines))
    lines = [
        f"{len(wrong.students)} of {wrong.graded}  {wrong.column.name}: {wrong.pattern}"
        for wrong in misconceptions(item)
    ]
    _list("What went wrong", lines)
    lines = []
    for pair in item.similar:
        alike = ", ".join(f"{function.name} {100 * function.similarity:.0f}%" for function in pair.functions)
        lines.append(f"{pair.first} and {pair.second}: {alike}")
    _list("Similar submissions (no proof: read both)", lines)


def _list(title: str, lines: list[str], most: int = MOST) -> None:
    if not lines:
        return
    console.print(f"[bold]{title}[/]")
    for line in lines[:most]:
        console.print(f"  {escape(line)}")
    if len(lines) > most:
        console.print(f"  and {len(lines) - most} more: --html or --csv has them")
    console.print()


def _show_student(opened: "Course", assignments: list[str], student: str) -> None:
    from llmcourse.grading.course import CourseError
    from llmcourse.grading.report import make_report

    reports = [make_report(opened, name, student=student) for name in assignments]
    rows = [(item, row) for item in reports for row in item.rows]
    if not rows:
        raise CourseError(f"there is no student {student!r} in the gradebook or in {opened.submitted}")
    for item, row in rows:
        score = f"{row.score:g} of {item.max_score:g}"
        late = f", late by {_late(row)}" if row.late_s > 0 else ""
        console.print(f"[bold]{escape(item.assignment)}[/]  {escape(student)}: {score}{late}, {row.state}")
        if row.reason:
            console.print(f"  {escape(row.reason)}")
        _show_functions(opened, item, row)
        console.print()


def _show_functions(opened: "Course", item: "Report", row: "Row") -> None:
    """Print for each function its points and, as the student's feedback has it, what the tests said."""
    from llmcourse.grading.feedback import student_findings

    said = student_findings(opened, item.assignment, row.student)
    for column, points in zip(item.columns, row.points, strict=True):
        value = "–" if points is None else f"{points:g}"
        console.print(f"  {escape(column.label)}  {value} of {column.max_points:g}")
        for line in said.get((column.notebook, column.cells), ()):
            console.print(f"      {escape(line)}")
    for name in dict.fromkeys(column.notebook for column in item.columns):
        for line in said.get((name, ()), ()):
            console.print(f"  {escape(name)}: {escape(line)}")


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
