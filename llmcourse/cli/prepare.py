"""``llmcourse prepare``: make shards of tokens from files, folders and WARCs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmcourse.cli.terminal import USAGE, console, problem, shown

if TYPE_CHECKING:
    from llmcourse.pretraining import PipelineConfig, QualityClassifier
    from llmcourse.pretraining.pipeline_stages import Told
    from llmcourse.tokenization import BPETokenizer


def prepare(
    sources: Annotated[
        list[Path], typer.Argument(help="Files, and folders of them: .txt .md .jsonl .html .warc, also .gz")
    ],
    output: Annotated[Path, typer.Option(help="The folder for the shards; a new or an empty one")],
    tokenizer: Annotated[
        Path | None, typer.Option(help="A saved tokenizer; by default one is trained on what is kept")
    ] = None,
    vocab_size: Annotated[int, typer.Option(help="Of the tokenizer that is trained")] = 4096,
    heuristics: Annotated[bool, typer.Option(help="Drop other languages than English, and what is no prose")] = True,
    lines: Annotated[bool, typer.Option(help="Drop lines that stood in the corpus before")] = True,
    near_duplicates: Annotated[
        float, typer.Option(help="From which Jaccard similarity on two documents are one; 0 keeps all")
    ] = 0.8,
    quality: Annotated[float, typer.Option(help="The least score of the classifier, up to 1; 0 asks none")] = 0.0,
    classifier: Annotated[
        Path | None, typer.Option(help="A saved one; by default it learns documentation against boiler-plate")
    ] = None,
    shard_tokens: Annotated[int, typer.Option(help="Tokens after which a shard is closed")] = 50_000_000,
    scheduler: Annotated[
        str, typer.Option(help="Of a Dask cluster, tcp://HOST:PORT; by default threads of this process")
    ] = "",
) -> None:
    """Read, filter, deduplicate and tokenise documents, and say what each stage dropped.

    Ctrl-C stops at once; the same command goes on with the files that were not read yet. `llmcourse train --shards
    FOLDER` trains on the result. This needs `pip install 'llmcourse[data]'`.
    """
    from llmcourse.pretraining import PipelineConfig, find_sources, prepare_corpus

    try:
        config = PipelineConfig(
            heuristics=heuristics,
            lines=lines,
            near_duplicates=near_duplicates or None,
            quality=quality or None,
            vocab_size=vocab_size,
            shard_tokens=shard_tokens,
        )
        with _progress() as tell:
            manifest = prepare_corpus(
                find_sources(sources),
                output,
                config=config,
                tokenizer=_tokenizer_at(tokenizer),
                classifier=_classifier_for(config, classifier),
                scheduler=scheduler or None,
                tell=tell,
            )
    except (ValueError, ImportError, OSError) as error:  # a ConnectionError is an OSError
        problem(error)
        raise typer.Exit(USAGE) from None
    except KeyboardInterrupt:
        console.print("stopped; the files that were read are kept, and the same command goes on from there")
        raise typer.Exit(130) from None
    _tell_stages(manifest)
    tokens = sum(shard["n_tokens"] for shard in manifest["shards"])
    console.print(
        f"{tokens:,} tokens in {len(manifest['shards'])} shards, with their tokenizer, are in {shown(output)}"
    )


def _tokenizer_at(path: Path | None) -> "BPETokenizer | None":
    from llmcourse.tokenization import BPETokenizer

    if path is None:
        return None
    if not path.is_file():
        raise ValueError(f"tokenizer is {str(path)!r}: give the file that BPETokenizer.save or llmcourse train wrote")
    return BPETokenizer.load(path)


def _classifier_for(config: "PipelineConfig", path: Path | None) -> "QualityClassifier | None":
    from llmcourse.pretraining import QualityClassifier, quality_labels, train_quality_classifier

    if config.quality is None:
        if path is not None:
            raise ValueError(f"a classifier is given, {str(path)!r}, and no least score: add --quality 0.5")
        return None
    return QualityClassifier.load(path) if path else train_quality_classifier(*quality_labels())


@contextmanager
def _progress() -> "Iterator[Told]":
    """Show a bar for each stage, from when it begins."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    tasks: dict[str, Any] = {}
    with Progress(*columns, console=console) as progress:

        def tell(stage: str, done: int, of: int) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=of)
            progress.update(tasks[stage], completed=done)

        yield tell


def _tell_stages(manifest: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table("stage", "kept", "dropped", "why", box=None)
    for stage in manifest["stages"]:
        reasons = sorted(stage["dropped"].items(), key=lambda found: -found[1])
        why = ", ".join(f"{reason} {count:,}" for reason, count in reasons)
        dropped = sum(count for reason, count in reasons if reason != "lines")
        table.add_row(stage["name"], f"{stage['kept']:,}", f"{dropped:,}", why)
    console.print(table)
