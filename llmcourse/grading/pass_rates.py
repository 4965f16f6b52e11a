"""How a class did, function by function."""

from dataclasses import dataclass
from statistics import mean

from llmcourse.grading.report import Column, Report

__all__ = ["PassRate", "pass_rates"]


@dataclass(frozen=True, kw_only=True)
class PassRate:
    """A function's results over all submissions in which it was graded.

    Attributes:
        column: The function.
        graded: How many submissions have points for it, zero included.
        passed: How many of them have all its points.
        zero: How many have none.
        mean: Mean of the points; None where nothing was graded.
    """

    column: Column
    graded: int
    passed: int
    zero: int
    mean: float | None

    @property
    def share(self) -> float | None:
        """The share of graded submissions that have all points, from 0 to 1."""
        return self.passed / self.graded if self.graded else None


def pass_rates(report: Report) -> tuple[PassRate, ...]:
    """Count who passed each function.

    Args:
        report: The marks of an assignment.

    Returns:
        A rate for each of the report's columns, in order.
    """
    return tuple(_rate(report, index) for index in range(len(report.columns)))


def _rate(report: Report, index: int) -> PassRate:
    column = report.columns[index]
    points = [value for row in report.rows if (value := row.points[index]) is not None]
    return PassRate(
        column=column,
        graded=len(points),
        passed=sum(value >= column.max_points for value in points),
        zero=sum(value <= 0 for value in points),
        mean=mean(points) if points else None,
    )
