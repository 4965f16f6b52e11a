"""The report as tables: the marks, how each function was passed, what was got wrong, which submissions are alike."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from llmcourse.grading.misconceptions import misconceptions
from llmcourse.grading.pass_rates import pass_rates
from llmcourse.grading.report import Column, Report, Row
from llmcourse.grading.spreadsheet import write_table

__all__ = ["write_csv", "write_tables"]

_EXPORTED = ("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email")
_EXPORTED += ("raw_score", "late_submission_penalty", "score", "max_score")


def write_tables(reports: Sequence[Report], path: Path) -> list[Path]:
    """Write the marks, and beside them a table of each kind that a class needs.

    Args:
        reports: Assignments, one after another.
        path: The file of the marks, ``marks.csv``.

    Returns:
        The files: ``marks.csv``, ``marks-functions.csv``, ``marks-misconceptions.csv`` and ``marks-similar.csv``.
    """
    write_csv(reports, path)
    tables = {
        "functions": (("assignment", "function", "max_points", "graded", "passed", "zero", "mean"), _functions),
        "misconceptions": (("assignment", "function", "students", "graded", "message", "example", "who"), _wrong),
        "similar": (("assignment", "first", "second", "function", "similarity", "weight"), _similar),
    }
    written = [path]
    for name, (header, rows) in tables.items():
        written.append(path.with_stem(f"{path.stem}-{name}"))
        write_table(written[-1], header, (row for report in reports for row in rows(report)))
    return written


def _functions(report: Report) -> Iterator[tuple[object, ...]]:
    for rate in pass_rates(report):
        column = rate.column
        counts = (column.max_points, rate.graded, rate.passed, rate.zero, rate.mean)
        yield report.assignment, column.label, *counts


def _wrong(report: Report) -> Iterator[tuple[object, ...]]:
    for item in misconceptions(report):
        counts = (len(item.students), item.graded)
        yield report.assignment, item.column.label, *counts, item.pattern, item.example, " ".join(item.students)


def _similar(report: Report) -> Iterator[tuple[object, ...]]:
    for pair in report.similar:
        for function in pair.functions:
            share = round(function.similarity, 3)
            yield report.assignment, pair.first, pair.second, function.name, share, round(pair.weight, 1)


def write_csv(reports: Sequence[Report], path: Path) -> None:
    """Write the columns of ``nbgrader export`` with the same numbers, then lateness, state, reason and functions.

    Args:
        reports: Assignments, one after another; a function is a column ``assignment/notebook/function`` with its
            points, and one with ``: why`` after that for what its first failing test said.
        path: The file to write.
    """
    headings = dict.fromkeys(_heading(report, column) for report in reports for column in report.columns)
    header = [*_EXPORTED, "seconds_late", "state", "reason", *headings, *(f"{name}: why" for name in headings)]
    fields = (_fields(report, row) for report in reports for row in report.rows)
    write_table(path, header, ([row.get(name) for name in header] for row in fields))


def _heading(report: Report, column: Column) -> str:
    return f"{report.assignment}/{column.label}"


def _fields(report: Report, row: Row) -> dict[str, Any]:
    fields = (report.assignment, report.due, row.timestamp, row.student, row.last_name, row.first_name, row.email)
    fields += (row.raw_score, row.penalty, row.score, report.max_score)
    beside = {"seconds_late": row.late_s, "state": row.state, "reason": row.reason}
    headings = [_heading(report, column) for column in report.columns]
    functions = dict(zip(headings, row.points, strict=True))
    reasons = {f"{name}: why": message for name, message in zip(headings, row.messages, strict=True)}
    return dict(zip(_EXPORTED, fields, strict=True)) | beside | functions | reasons
