"""From files to shards: extraction, heuristics, deduplication, a classifier, tokens."""

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import KW_ONLY, asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int

from llmcourse.pretraining.dask_map import Map, dask_map
from llmcourse.pretraining.exact_dedup import exact_dedup, line_dedup
from llmcourse.pretraining.minhash_dedup import minhash_dedup
from llmcourse.pretraining.pipeline_tasks import END_OF_TEXT, clean_file, encode_texts, score_texts
from llmcourse.pretraining.prepared_corpus import read_manifest, write_corpus
from llmcourse.pretraining.quality_classifier import QualityClassifier
from llmcourse.tokenization import BPETokenizer, fingerprint, train_bpe
from llmcourse.tokenization.atomic_write import write_whole

__all__ = ["PipelineConfig", "Stage", "prepare_corpus"]

_CHUNK = 64  # documents that are scored, or tokenised, in one task
_VERSION = 1


@dataclass(frozen=True)
class PipelineConfig:
    """What is done with the documents; stages can be left out.

    Attributes:
        heuristics: Drop what Gopher's and C4's rules drop, other languages than English among it.
        lines: Drop lines that stood in the corpus before.
        near_duplicates: From which Jaccard similarity on two documents are one; None keeps all but exact copies.
        quality: The least score of the classifier; None asks none.
        vocab_size: Of the tokenizer that is trained on what is kept, where none is given.
        tokenizer_bytes: On so many of its first bytes.
        shard_tokens: Tokens after which a shard is closed.

    Raises:
        ValueError: A number is out of range; quotes it.
    """

    _: KW_ONLY
    heuristics: bool = True
    lines: bool = True
    near_duplicates: float | None = 0.8
    quality: float | None = None
    vocab_size: int = 4096
    tokenizer_bytes: int = 10_000_000
    shard_tokens: int = 50_000_000

    def __post_init__(self) -> None:
        for name in ("near_duplicates", "quality"):
            value = getattr(self, name)
            if value is not None and not 0 < value <= 1:
                raise ValueError(f"{name} is {value}: it is above 0 and at most 1, or None to leave the stage out")
        if self.vocab_size < 257 or min(self.tokenizer_bytes, self.shard_tokens) < 1:
            raise ValueError(
                f"vocab_size is {self.vocab_size}, tokenizer_bytes {self.tokenizer_bytes} and shard_tokens "
                f"{self.shard_tokens}: they are at least 257, 1 and 1"
            )


class Stage(NamedTuple):
    """What a stage did.

    Attributes:
        name: Of the stage.
        kept: How many documents went on.
        dropped: How many did not, by reason; of lines, how many lines.
    """

    name: str
    kept: int
    dropped: dict[str, int]


Told = Callable[[str, int, int], None]


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
        "sources": _key([[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in sources], _VERSION),
    }
    done = read_manifest(folder)
    if done is not None:
        _check_same(done, about, folder)
        return done
    work = _work_in(folder)
    with dask_map(scheduler) as mapped:
        run = _Run(config, folder, mapped, tell or (lambda stage, done, of: None))
        texts = run.deduplicated(run.cleaned(sources))
        texts = run.scored(texts, classifier) if classifier else texts
        if not texts:
            raise ValueError(
                f"nothing is left of {len(sources)} files: {_summary(run.stages)}: give others, or leave stages out"
            )
        tokenizer = tokenizer or _trained(texts, config)
        ids = run.tokenised(texts, tokenizer)
        about["stages"] = [stage._asdict() for stage in run.stages]
        manifest = write_corpus(ids, folder, tokenizer=tokenizer, shard_tokens=config.shard_tokens, about=about)
    shutil.rmtree(work)
    return manifest


class _Run:
    """The stages, each of which notes what it did."""

    def __init__(self, config: PipelineConfig, folder: Path, mapped: Map, tell: Told) -> None:
        self.config, self.folder, self.mapped, self.tell = config, folder, mapped, tell
        self.stages: list[Stage] = []

    def cleaned(self, sources: Sequence[Path]) -> list[str]:
        """Read all files and apply the heuristics; what was finished before is taken from the disk."""
        places = [self._place_of(path) for path in sources]
        missing = [(path, place) for path, place in zip(sources, places, strict=True) if not place.exists()]
        done = len(sources) - len(missing)
        self.tell("read", done, len(sources))
        results = self.mapped(partial(clean_file, heuristics=self.config.heuristics), [path for path, _ in missing])
        for (_, place), result in zip(missing, results, strict=True):
            write_whole(place, json.dumps(result).encode())
            done += 1
            self.tell("read", done, len(sources))
        texts: list[str] = []
        dropped: dict[str, Counter[str]] = {name: Counter() for name in ("read", "language", "quality")}
        for place in places:
            result = json.loads(place.read_bytes())
            texts += result["texts"]
            for name, counts in result["dropped"].items():
                dropped[name].update(counts)
        kept = len(texts)
        stages: list[Stage] = []
        for name in ("quality", "language", "read"):
            stages.insert(0, Stage(name, kept, dict(sorted(dropped[name].items()))))
            kept += dropped[name].total()
        self.stages += stages if self.config.heuristics else stages[:1]
        return texts

    def _place_of(self, path: Path) -> Path:
        stat = path.stat()
        key = _key(str(path), stat.st_size, stat.st_mtime_ns, self.config.heuristics, _VERSION)
        return self.folder / ".work" / f"{key}.json"

    def deduplicated(self, texts: list[str]) -> list[str]:
        """Drop copies of lines, of documents, and what is nearly a copy."""
        if self.config.lines:
            before, n_lines = len(texts), sum(text.count("\n") + 1 for text in texts)
            texts = list(line_dedup(texts))
            lines = n_lines - sum(text.count("\n") + 1 for text in texts)
            self._note("lines", texts, {"documents": before - len(texts), "lines": lines})
        before, texts = len(texts), list(exact_dedup(texts))
        self._note("exact", texts, {"copies": before - len(texts)})
        if self.config.near_duplicates is not None:
            found = minhash_dedup(texts, threshold=self.config.near_duplicates)
            before, texts = len(texts), [texts[index] for index in found.kept]
            self._note("near", texts, {"near-duplicates": before - len(texts)})
        return texts

    def scored(self, texts: list[str], classifier: QualityClassifier) -> list[str]:
        """Keep what the classifier finds good enough."""
        path = self.folder / "quality.json"
        classifier.save(path)
        scores = np.concatenate([np.empty(0), *self._in_chunks("classifier", partial(score_texts, str(path)), texts)])
        kept = [text for text, score in zip(texts, scores, strict=True) if score >= (self.config.quality or 0)]
        self._note("classifier", kept, {f"score below {self.config.quality}": len(texts) - len(kept)})
        return kept

    def tokenised(self, texts: list[str], tokenizer: BPETokenizer) -> Iterator[Int[np.ndarray, " length"]]:
        """Give the ids of each document."""
        path = self.folder / "tokenizer.json"
        tokenizer.save(path)
        for chunk in self._in_chunks("tokenise", partial(encode_texts, str(path), fingerprint(tokenizer)), texts):
            yield from chunk

    def _in_chunks(self, name: str, function: Callable[[Sequence[str]], Any], texts: list[str]) -> Iterator[Any]:
        chunks = [texts[start : start + _CHUNK] for start in range(0, len(texts), _CHUNK)]
        for number, result in enumerate(self.mapped(function, chunks), start=1):
            self.tell(name, number, len(chunks))
            yield result

    def _note(self, name: str, texts: list[str], dropped: dict[str, int]) -> None:
        self.stages.append(Stage(name, len(texts), {reason: count for reason, count in dropped.items() if count}))
        if name != "classifier":  # which has told already how far it is
            self.tell(name, 1, 1)


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


def _key(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
