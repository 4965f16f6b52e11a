"""``llmcourse check``: a student's own notebook against its visible tests."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from llmcourse.cli.terminal import console, mistakes, shown

if TYPE_CHECKING:
    from llmcourse.grading.check import Checked
    from llmcourse.grading.exercise import Result

__all__ = ["STYLES", "check", "check_with_progress"]

# A message may quote what the function returned, however long that is; the notebook shows it all.
_MESSAGE_CHARACTERS = 400
STYLES = {
    "done": "green",
    "partly": "yellow",
    "failing": "red",
    "not started": "dim",
    "needs a person": "cyan",
    "changed": "magenta",
}


def check(
    notebook: Annotated[Path, typer.Argument(help="Your notebook, exercises/01_tokenization/bpe.ipynb for instance")],
    timeout: Annotated[float, typer.Option(min=1, help="Seconds for one cell, after which it is stopped")] = 30,
) -> None:
    """Run the tests that you can see in your notebook, and say for each function what they found.

    The notebook runs from top to bottom in a fresh kernel, as it will when it is graded; your file is not changed.
    Save it first. Grading also runs tests that you cannot see, so passing here is necessary, not sufficient.

    A function is **done**, **partly** done (some of its tests give points), **failing** (none does) or **not started**.
    For what fails you are told the line of your code, and which function to mend first where it calls another one that
    fails. Once a function runs out of time, its other tests are not run.

    Exit code: 0 when all visible tests pass, 1 when some fail, 2 when the notebook cannot be checked.
    """
    with mistakes():
        found = check_with_progress(notebook, timeout)
    _print(found, notebook)
    raise typer.Exit(0 if found.passed else 1)


def check_with_progress(notebook: Path, timeout_s: float) -> "Checked":
    """Check a notebook, and show what is running: in a terminal a clock, elsewhere a line for each function as it ends.

    Args:
        notebook: The student's.
        timeout_s: Seconds for one cell.

    Returns:
        What was found.
    """
    from llmcourse.grading.check import check_notebook

    clock = _Clock(f"checking {escape(notebook.name)}", timeout_s)
    if not console.is_terminal:
        console.print(f"checking {shown(notebook)}, at most {timeout_s:g} s for a cell")
    with console.status(clock):
        return check_notebook(
            notebook, timeout_s=timeout_s, on_cell=clock.start, on_result=None if console.is_terminal else _ended
        )


class _Clock:
    """What is running, for how long, and how long it may; rendered anew whenever the terminal is."""

    def __init__(self, label: str, limit_s: float) -> None:
        self._label, self._limit_s = label, limit_s
        self._name: str | None = None
        self._began = time.monotonic()

    def start(self, name: str) -> None:
        """Note that a cell begins, of a function or, without a name, of the student's own."""
        self._name, self._began = name, time.monotonic()

    def __rich__(self) -> str:
        if self._name is None:
            return f"{self._label}: starting Python"
        name = escape(self._name or "a cell without tests")
        return f"{self._label}: {name}, {time.monotonic() - self._began:.0f} s of at most {self._limit_s:g} s"


def _ended(result: "Result", seconds: float) -> None:
    console.print(f"{escape(result.name)}: {result.state}, {_points(result)} points, {seconds:.1f} s")


def _points(result: "Result") -> str:
    return f"{result.points:g} / {result.max_points:g}"


def _print(found: "Checked", notebook: Path) -> None:
    table = Table(title=shown(notebook), title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name, justify in (("function", "left"), ("", "left"), ("points by visible tests", "right")):
        table.add_column(name, justify=justify)  # pyright: ignore[reportArgumentType]
    for result in found.results:
        style = STYLES[result.state]
        table.add_row(escape(result.name), f"[{style}]{result.state}[/]", _points(result))
    console.print(table)
    for result in found.results:
        if result.state in ("partly", "failing"):
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
