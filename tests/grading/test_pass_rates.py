"""Pass rates are counts over the submissions that were graded."""

from llmcourse.grading.pass_rates import pass_rates
from llmcourse.grading.report import Column, Report, Row


def row(student, *points):
    beside = {"raw_score": 0.0, "penalty": 0.0, "late_s": 0.0, "state": "graded", "timestamp": None}
    names = dict.fromkeys(("last_name", "first_name", "email"), "")
    return Row(student=student, points=points, messages=("",) * len(points), **beside, **names)


def test_who_passed_is_counted_by_function():
    columns = (
        Column(notebook="steps", name="double", cells=("a",), max_points=3),
        Column(notebook="steps", name="mean", cells=("b",), max_points=2),
    )
    rows = (row("anna", 3.0, None), row("ben", 3.5, None), row("carl", 1.5, None), row("dora", 0.0, None))
    report = Report(assignment="01", due=None, max_score=5, columns=columns, rows=rows)
    double, mean = pass_rates(report)
    assert (double.graded, double.passed, double.zero, double.mean, double.share) == (4, 2, 1, 2.0, 0.5)
    assert (mean.graded, mean.passed, mean.mean, mean.share) == (0, 0, None, None)
