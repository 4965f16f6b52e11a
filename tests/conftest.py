"""What all tests share: hypothesis without a stopwatch, Chromium, and the last lines of ``make test``.

The terminal summary counts what was skipped and why, so that nothing is skipped in silence, and repeats what tests
recorded with ``record_property``: the graded graders' ``kill_rate``, and how many ``attacks`` were met.
"""

import os
import shutil
import signal
from collections import Counter
from pathlib import Path

import hypothesis
import pytest

# A shell starts what it runs in the background deaf to Ctrl-C, and so would be all that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Two busy cores make a single example slow now and then; that says nothing about the code.
hypothesis.settings.register_profile("course", deadline=None, print_blob=True)
hypothesis.settings.load_profile("course")

# Files whose few tests take longest, the longest first: started last, one of them would leave the other cores idle.
SLOW_FILES = (
    "tests/book/test_pages.py",
    "tests/attacks/test_attacks.py",
    "tests/solutions/test_graded_graders.py",
    "tests/bench/test_grading.py",
    "tests/cli/test_grade.py",
    "tests/grading/test_faults.py",
    "tests/grading/test_autograde.py",
    "tests/grading/test_scale.py",
    "tests/grading/border/test_parity.py",
    "tests/bench/test_tokenization.py",
    "tests/bench/test_architecture.py",
    "chapters/",
)


# Chromium asks servers of its own for updates and lists unless told not to.
CHROMIUM = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
CHROMIUM += ["--disable-quic", "--disable-gpu", "--disable-domain-reliability", "--no-default-browser-check"]


@pytest.fixture(scope="module")
def browser():
    """Chromium: the system's, else the one that Playwright brought; without either the tests are skipped.

    As long as it is open asyncio takes this thread's loop to be running, which the next file may not bear: not longer
    than one file, and only one at a time.
    """
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install '.[test]'")
    system = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_api.sync_playwright() as playwright:
        if not system and not Path(playwright.chromium.executable_path).is_file():
            pytest.skip("Chromium is not installed: apt install chromium, or playwright install chromium")
        chromium = playwright.chromium.launch(executable_path=system, args=CHROMIUM + as_root)
        yield chromium
        chromium.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the slow files; the order within a file, and of all others, stays."""
    root = Path(__file__).resolve().parent.parent

    def rank(item: pytest.Item) -> int:
        name = item.path.relative_to(root).as_posix() if item.path.is_relative_to(root) else ""
        return next((place for place, start in enumerate(SLOW_FILES) if name.startswith(start)), len(SLOW_FILES))

    items.sort(key=rank)


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
