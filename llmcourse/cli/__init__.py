"""The command line: one file per verb, each registered here.

Verbs import what they need inside the function, so that ``llmcourse --help`` stays fast.
"""

import typer

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
