"""The command line: one file per verb, each registered here.

Verbs import what they need inside the function, so that ``llmcourse --help`` stays fast, and works also where the
packages that a verb needs are not installed.
"""

from importlib import import_module

import typer

__all__ = ["app"]

# In the order of --help: the student's verbs, the instructor's, the researcher's.
_VERBS = (
    "check",
    "status",
    "release",
    "grade",
    "report",
    "bench",
    "sweep",
    "serve",
    "prepare",
    "train",
    "plan",
    "doctor",
)

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
    app.command(_verb)(getattr(import_module(f"llmcourse.cli.{_verb}"), _verb))
