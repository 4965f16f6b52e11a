"""The command line: one file per verb, each registered here.

Verbs import what they need inside the function, so that ``llmcourse --help`` stays fast, and works also where the
packages that a verb needs are not installed.
"""

from importlib import import_module
from importlib.util import find_spec

import typer

__all__ = ["app"]

# In the order of --help: the student's verbs, the instructor's, the researcher's.
_VERBS = ("check", "status", "release", "grade", "report", "bench")

app = typer.Typer(
    name="llmcourse",
    help="Release, check, grade and measure the course on large language models.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    rich_markup_mode="markdown",
)


@app.callback()
def main() -> None:
    """Release, check, grade and measure the course on large language models."""


for _verb in _VERBS:
    if find_spec(f"llmcourse.cli.{_verb}") is None:
        continue
    app.command(_verb)(getattr(import_module(f"llmcourse.cli.{_verb}"), _verb))
