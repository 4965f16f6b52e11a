"""The report as a page of HTML that needs nothing else."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean

from jinja2 import Environment, PackageLoader, StrictUndefined

from llmcourse.grading.misconceptions import misconceptions
from llmcourse.grading.pass_rates import pass_rates
from llmcourse.grading.report import Report

__all__ = ["duration", "render", "write_html"]

_MOST_LISTED = 50


def render(reports: Sequence[Report], *, made: datetime) -> str:
    """Return the page; whatever a student wrote is escaped, so that it stays text.

    Args:
        reports: Assignments, in the order of the page.
        made: When the page was made.

    Returns:
        A whole HTML document with no reference to anything outside it.
    """
    environment = Environment(
        loader=PackageLoader("llmcourse.grading", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"points": "{:g}".format, "duration": duration, "share": _share}
    summaries = [(report, _summary(report)) for report in reports]
    return environment.get_template("page.html").render(summaries=summaries, made=made, most=_MOST_LISTED)


def write_html(reports: Sequence[Report], path: Path) -> None:
    """Write the page to a file, with the time of now."""
    path.write_text(render(reports, made=datetime.now(UTC)), encoding="utf-8")


def _summary(report: Report) -> dict[str, object]:
    graded = [row.score for row in report.rows if row.state in ("graded", "needs a person")]
    return {
        "graded": len(graded),
        "failed": sum(row.state == "failed" for row in report.rows),
        "person": sum(row.state == "needs a person" for row in report.rows),
        "late": sum(row.late_s > 0 for row in report.rows),
        "mean": mean(graded) if graded else None,
        "rates": pass_rates(report),
        "wrong": misconceptions(report),
    }


def _share(points: float | None, most: float) -> str:
    """Return the class of a cell: how much of the points it has."""
    if points is None:
        return "none"
    return "all" if points >= most else "zero" if points <= 0 else "some"


def duration(seconds: float) -> str:
    """Return a time in the largest unit that suits it.

    Args:
        seconds: Not negative.

    Returns:
        Minutes, hours or days, in words.

    Example:
        >>> duration(90), duration(7200), duration(200_000)
        ('2 min', '2.0 h', '2.3 days')
    """
    if seconds < 3600:
        return f"{max(1, round(seconds / 60))} min"
    return f"{seconds / 3600:.1f} h" if seconds < 86_400 else f"{seconds / 86_400:.1f} days"
