"""From files to shards: extraction, heuristics, deduplication, a classifier, tokens."""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from llmcourse.pretraining.dask_map import dask_map
from llmcourse.pretraining.pipeline_config import PipelineConfig
from llmcourse.pretraining.pipeline_stages import VERSION, PipelineStages, Stage, Told, key_of
from llmcourse.pretraining.pipeline_tasks import END_OF_TEXT
from llmcourse.pretraining.prepared_corpus import read_manifest, write_corpus
from llmcourse.pretraining.quality_classifier import QualityClassifier
from llmcourse.tokenization import BPETokenizer, fingerprint, train_bpe

__all__ = ["prepare_corpus"]


def prepare_corpus(
    sources: Sequence[Path],
    folder: str | Path,
    *,
    config: PipelineConfig | None = None,
    tokenizer: BPETokenizer | None = None,
    classifier: QualityClassifier | None = None,
    scheduler: str | None = None,
    tell: Told | None = None,
) -> dict[str, Any]:
    r"""Make shards of files: read, filter, deduplicate, choose, tokenise, write.

    As FineWeb (Penedo et al. 2024, arXiv:2406.17557, section 3) and DCLM (Li et al. 2024, arXiv:2406.11794, section 4)
    order it, with one difference: they deduplicate within one crawl, here it is all at once, in this process, which
    holds the texts that passed the heuristics in memory. Reading, scoring and tokenising run on Dask; the workers of a
    cluster need the sources and the folder under the same paths. The result is the same byte for byte wherever it runs.

    A run that was stopped goes on: the cleaned text of each file is kept until the shards are whole.

    Args:
        sources: Files, of :func:`llmcourse.pretraining.data_sources.find_sources`.
        folder: Where shards go; one that holds others is refused.
        config: What is done.
        tokenizer: What makes the ids; one is trained on the text that is kept where none is given.
        classifier: What ``config.quality`` asks.
        scheduler: The address of a Dask scheduler; None for threads of this process.
        tell: Called with the stage's name, how much of it is done, and how much there is.

    Returns:
        The manifest: what was kept and dropped at each stage, the settings, and the shards.

    Raises:
        ValueError: The folder holds another corpus, nothing is left to write, or a classifier is wanted and none given.
        ImportError: A package for a stage is missing; says which.
        ConnectionError: The scheduler does not answer.
        OSError: A file could not be read or written.
    """
    config, folder = config or PipelineConfig(), Path(folder)
    if (config.quality is not None) != (classifier is not None):
        raise ValueError(f"quality is {config.quality} and the classifier {classifier}: give both, or neither")
    about = {
        "config": asdict(config),
        "given_tokenizer": None if tokenizer is None else fingerprint(tokenizer),
        "classifier": None if classifier is None else hashlib.sha256(classifier.weights.tobytes()).hexdigest(),
        "sources": key_of([[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in sources], VERSION),
    }
    done = read_manifest(folder)
    if done is not None:
        _check_same(done, about, folder)
        return done
    work = _work_in(folder)
    with dask_map(scheduler) as mapped:
        stages = PipelineStages(config, folder, mapped, tell or (lambda stage, done, of: None))
        texts = stages.deduplicated(stages.cleaned(sources))
        texts = stages.scored(texts, classifier) if classifier else texts
        if not texts:
            raise ValueError(
                f"nothing is left of {len(sources)} files: {_summary(stages.done)}: give others, or leave stages out"
            )
        tokenizer = tokenizer or _trained(texts, config)
        ids = stages.tokenised(texts, tokenizer)
        about["stages"] = [stage._asdict() for stage in stages.done]
        manifest = write_corpus(ids, folder, tokenizer=tokenizer, shard_tokens=config.shard_tokens, about=about)
    shutil.rmtree(work)
    return manifest


def _trained(texts: Sequence[str], config: PipelineConfig) -> BPETokenizer:
    taken, size = [], 0
    for text in texts:
        taken.append(text)
        size += len(text.encode("utf-8", "surrogatepass"))
        if size >= config.tokenizer_bytes:
            break
    return train_bpe("\n\n".join(taken), config.vocab_size, special_tokens=(END_OF_TEXT,))


def _check_same(done: dict[str, Any], about: dict[str, Any], folder: Path) -> None:
    names = {
        "config": "other settings",
        "given_tokenizer": "another tokenizer",
        "classifier": "another classifier",
        "sources": "other files",
    }
    for key, name in names.items():
        if done.get(key) != about[key]:
            raise ValueError(
                f"{str(folder)!r} holds a corpus that was made with {name}: give the same, or another folder"
            )


def _work_in(folder: Path) -> Path:
    """Return where what is not finished stands; a folder of something else is left alone."""
    work = folder / ".work"
    if folder.is_dir() and not work.is_dir() and any(folder.iterdir()):
        raise ValueError(f"{str(folder)!r} holds something else than a prepared corpus: give a new or empty folder")
    work.mkdir(parents=True, exist_ok=True)
    return work


def _summary(stages: Sequence[Stage]) -> str:
    counts = [(stage.name, reason, count) for stage in stages for reason, count in stage.dropped.items()]
    return "; ".join(f"{name} dropped {count} ({reason})" for name, reason, count in counts) or "they hold no text"
