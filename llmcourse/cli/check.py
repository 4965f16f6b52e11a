"""``llmcourse check``: a student's own notebook against its visible tests."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from llmcourse.cli.terminal import console, mistakes, shown

if TYPE_CHECKING:
    from llmcourse.grading.check import Checked
    from llmcourse.grading.exercise import Result

# A message may quote what the function returned, however long that is; the notebook shows it all.
_MESSAGE_CHARACTERS = 400
STYLES = {"done": "green", "partly": "yellow", "not started": "dim", "needs a person": "cyan", "changed": "magenta"}


def check(
    notebook: Annotated[Path, typer.Argument(help="Your notebook, exercises/01_tokenization/bpe.ipynb for instance")],
    timeout: Annotated[float, typer.Option(min=1, help="Seconds for one cell")] = 30,
) -> None:
    """Run the tests that you can see in your notebook, and say for each function what they found.

    The notebook runs from top to bottom in a fresh kernel, as it will when it is graded; your file is not changed.
    Save it first. Grading also runs tests that you cannot see, so passing here is necessary, not sufficient.

    Exit code: 0 when all visible tests pass, 1 when some fail, 2 when the notebook cannot be checked.
    """
    with mistakes():
        from llmcourse.grading.check import check_notebook

        with console.status(f"running {shown(notebook)}") as line:
            found = check_notebook(
                notebook,
                timeout_s=timeout,
                on_part=lambda name: line.update(f"running {shown(notebook)}: {escape(name)}"),
            )
    _print(found, notebook)
    raise typer.Exit(0 if found.passed else 1)


def _print(found: "Checked", notebook: Path) -> None:
    table = Table(title=shown(notebook), title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name, justify in (("function", "left"), ("", "left"), ("points by visible tests", "right")):
        table.add_column(name, justify=justify)  # pyright: ignore[reportArgumentType]
    for result in found.results:
        style = STYLES[result.state]
        points = f"{result.points:g} / {result.max_points:g}"
        table.add_row(escape(result.name), f"[{style}]{result.state}[/]", points)
    console.print(table)
    for result in found.results:
        if result.state == "partly":
            _explain(result)
    if found.changed_tests:
        names = escape(", ".join(found.changed_tests))
        console.print(f"\n[yellow]You have changed test cells ({names}).[/] Grading puts the original ones back.")
    _close(found)


def _explain(result: "Result") -> None:
    console.print(f"\n[bold]{escape(result.name)}[/]")
    for message in result.messages:
        long = len(message) > _MESSAGE_CHARACTERS
        console.print(
            f"  {escape(message[:_MESSAGE_CHARACTERS])}{' ... (cut; run the test in the notebook)' if long else ''}"
        )
    if result.hints:
        console.print(f"  [dim]Stuck? The notebook has for this function: {escape(', '.join(result.hints))}[/]")


def _close(found: "Checked") -> None:
    done = sum(result.points for result in found.results)
    total = sum(result.max_points for result in found.results)
    if found.passed:
        console.print("\n[green]All visible tests pass.[/] Grading also runs tests that you cannot see.")
        return
    following = next(result for result in found.results if result.state not in ("done", "needs a person"))
    console.print(
        f"\nThe visible tests give {done:g} of {total:g} points; grading also runs tests that you cannot see. "
        f"Next: [bold]{escape(following.name)}[/]"
    )
