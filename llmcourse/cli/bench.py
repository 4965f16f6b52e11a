"""``llmcourse bench``: measure the package beside others."""

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from llmcourse.cli.terminal import USAGE, problem


def bench(
    name: Annotated[
        str,
        typer.Argument(
            help="What to measure: alignment, architecture, deduplication, grading, pretraining, serving, tokenization"
        ),
    ],
    quick: Annotated[bool, typer.Option(help="Small sizes and one round: a check in seconds, no measurement")] = False,
    json: Annotated[Path | None, typer.Option(help="Write all times, the machine and the versions there")] = None,
) -> None:
    """Measure a chapter's implementations side by side with well-known ones, and print a table.

    This takes minutes, and wants a machine that does nothing else. It needs `pip install 'llmcourse[bench]'`.
    """
    from llmcourse.bench import NAMES

    try:
        if name not in NAMES:
            raise ValueError(f"there is no benchmark {name!r}: choose {' or '.join(NAMES)}")
        import_module(f"llmcourse.bench.{name}").run(quick=quick, json_path=json)
    except ValueError as error:
        problem(error)
        raise typer.Exit(USAGE) from None
