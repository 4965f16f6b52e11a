"""``llmcourse sweep``: make a table of many small training runs."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmcourse.cli.terminal import USAGE, problem

if TYPE_CHECKING:
    from llmcourse.sweeps import Journal, Sweep


def sweep(
    name: Annotated[
        str,
        typer.Argument(help="Which table: alignment, architecture, data_quality, quantization, scaling or stability"),
    ],
    size: Annotated[str, typer.Option(help="quick (seconds), cpu or gpu; by default gpu where there is one")] = "",
    jobs: Annotated[int, typer.Option(help="Processes, one thread each; 0 for this one")] = 1,
    device: Annotated[str, typer.Option(help="Where to compute, cpu or cuda; by default the fastest")] = "",
    folder: Annotated[Path, typer.Option(help="Where the journal and the table are written")] = Path(),
) -> None:
    """Do the runs of a sweep, and write their table.

    Each finished run is written to NAME-SIZE.jsonl at once. Stopped by Ctrl-C or by anything else, the same command
    goes on where it was; the table, NAME-SIZE.json, is written when all runs are there. The tables that the chapters
    use come with the course.
    """
    from llmcourse.runtime import best_device
    from llmcourse.sweeps import Journal, find_sweep, header_of, write_table

    try:
        device = device or best_device().type
        size = size or ("gpu" if device == "cuda" else "cpu")
        chosen = find_sweep(name)
        header = header_of(chosen, size=size)
        with Journal(folder / f"{name}-{size}.jsonl", header) as journal:
            _run(chosen, journal, size, jobs, device)
            command = f"llmcourse sweep {name} --size {size} --device {device}"
            table = folder / f"{name}-{size}.json"
            write_table(chosen, journal, table, size=size, command=command, device=device)
        typer.echo(f"{len(journal.records)} runs are in {table}")
    except ValueError as error:
        problem(error)
        raise typer.Exit(USAGE) from None
    except KeyboardInterrupt:
        typer.echo("stopped; the finished runs are kept, and the same command goes on from there")
        raise typer.Exit(130) from None


def _run(chosen: "Sweep", journal: "Journal", size: str, jobs: int, device: str) -> None:
    """Do what is left, with a bar that counts cost, not runs: the first runs are the longest."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from llmcourse.sweeps import run_sweep

    runs = chosen.runs(size)
    left = sum(chosen.cost(settings) for settings in runs if not journal.done(settings))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[left]}"))
    begun, spent = time.monotonic(), 0.0
    with Progress(*columns) as progress:
        task = progress.add_task(f"sweep {chosen.name}", total=len(runs), completed=len(journal.records), left="")
        for settings, _, seconds in run_sweep(chosen, journal, size=size, jobs=jobs, device=device):
            spent += chosen.cost(settings)
            rest = (time.monotonic() - begun) * (left - spent) / spent
            progress.update(task, advance=1, left=f"last {seconds:.0f} s, {_clock(rest)} left")


def _clock(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
