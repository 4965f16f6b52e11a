"""The small course of tests/grading, for the verbs."""

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "grading"))
import small_course as SMALL


@pytest.fixture(scope="session")
def small():
    """Return the module that makes the small course and submissions to it."""
    return SMALL


@pytest.fixture(scope="module")
def run():
    """Return a function that runs a verb and returns its exit code and all that it printed."""
    from llmcourse.cli import app, terminal

    def invoke(*arguments):
        # A wide terminal, so that no table folds the words that are looked for. Rich reads COLUMNS once, when the
        # console is made, which may have been in another test.
        terminal.console.width = 200
        result = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"}).invoke(app, [str(word) for word in arguments])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output

    return invoke
