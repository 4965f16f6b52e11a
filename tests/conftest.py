"""What all tests share: hypothesis without a stopwatch, and the last lines of ``make test``.

The terminal summary counts what was skipped and why, so that nothing is skipped in silence, and repeats the kill
rates that the graded graders recorded with ``record_property("kill_rate", "...")``.
"""

from collections import Counter

import hypothesis
import pytest

# Two busy cores make a single example slow now and then; that says nothing about the code.
hypothesis.settings.register_profile("course", deadline=None, print_blob=True)
hypothesis.settings.load_profile("course")


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the kill rates and the reasons for skips."""
    reports = [
        report for group in terminalreporter.stats.values() for report in group if hasattr(report, "user_properties")
    ]
    rates = sorted({str(value) for report in reports for key, value in report.user_properties if key == "kill_rate"})
    if rates:
        terminalreporter.section("graded graders")
        for rate in rates:
            terminalreporter.write_line(rate)
    skipped = Counter(_reason(report) for report in terminalreporter.stats.get("skipped", []))
    if skipped:
        terminalreporter.section(f"skipped: {sum(skipped.values())}")
        for reason, count in skipped.most_common():
            terminalreporter.write_line(f"{count:4}  {reason}")


def _reason(report: pytest.TestReport) -> str:
    longrepr = report.longrepr
    return longrepr[2].removeprefix("Skipped: ") if isinstance(longrepr, tuple) else str(longrepr)
