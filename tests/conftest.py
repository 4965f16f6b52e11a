"""What all tests share: hypothesis without a stopwatch, and the last lines of ``make test``.

The terminal summary counts what was skipped and why, so that nothing is skipped in silence, and repeats what tests
recorded with ``record_property``: the graded graders' ``kill_rate``, and how many ``attacks`` were met.
"""

import signal
from collections import Counter

import hypothesis
import pytest

# A shell starts what it runs in the background deaf to Ctrl-C, and so would be all that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Two busy cores make a single example slow now and then; that says nothing about the code.
hypothesis.settings.register_profile("course", deadline=None, print_blob=True)
hypothesis.settings.load_profile("course")


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the kill rates and the reasons for skips."""
    reports = [
        report for group in terminalreporter.stats.values() for report in group if hasattr(report, "user_properties")
    ]
    for title, wanted in (("graded graders", "kill_rate"), ("hostile submissions", "attacks")):
        lines = sorted({str(value) for report in reports for key, value in report.user_properties if key == wanted})
        if lines:
            terminalreporter.section(title)
        for line in lines:
            terminalreporter.write_line(line)
    skipped = Counter(_reason(report) for report in terminalreporter.stats.get("skipped", []))
    if skipped:
        terminalreporter.section(f"skipped: {sum(skipped.values())}")
        for reason, count in skipped.most_common():
            terminalreporter.write_line(f"{count:4}  {reason}")


def _reason(report: pytest.TestReport) -> str:
    longrepr = report.longrepr
    return longrepr[2].removeprefix("Skipped: ") if isinstance(longrepr, tuple) else str(longrepr)
