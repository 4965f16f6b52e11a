"""The stages of the data pipeline, one method each: reading, deduplication, the classifier, tokens."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int

from llmcourse.pretraining.dask_map import Map
from llmcourse.pretraining.exact_dedup import exact_dedup, line_dedup
from llmcourse.pretraining.minhash_dedup import minhash_dedup
from llmcourse.pretraining.pipeline_config import PipelineConfig
from llmcourse.pretraining.pipeline_tasks import clean_file, encode_texts, score_texts
from llmcourse.pretraining.quality_classifier import QualityClassifier
from llmcourse.tokenization import BPETokenizer, fingerprint
from llmcourse.tokenization.atomic_write import write_whole

__all__ = ["VERSION", "PipelineStages", "Stage", "Told", "key_of"]

VERSION = 1  # of what the stages do: a change makes kept work stale
_CHUNK = 64  # documents that are scored, or tokenised, in one task

Told = Callable[[str, int, int], None]


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


class PipelineStages:
    """The stages, each of which takes texts, gives those that are left, and notes what it did.

    Args:
        config: What is done.
        folder: Of the corpus; what was read stands in ``.work`` until the shards are whole.
        mapped: Applies a function to many things, on threads or on a cluster.
        tell: Called with the stage's name, how much of it is done, and how much there is.

    Attributes:
        done: The stages so far, in their order.
    """

    def __init__(self, config: PipelineConfig, folder: Path, mapped: Map, tell: Told) -> None:
        self.config, self.folder, self.mapped, self.tell = config, folder, mapped, tell
        self.done: list[Stage] = []

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
        self.done += stages if self.config.heuristics else stages[:1]
        return texts

    def _place_of(self, path: Path) -> Path:
        stat = path.stat()
        key = key_of(str(path), stat.st_size, stat.st_mtime_ns, self.config.heuristics, VERSION)
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
        self.done.append(Stage(name, len(texts), {reason: count for reason, count in dropped.items() if count}))
        if name != "classifier":  # which has told already how far it is
            self.tell(name, 1, 1)


def key_of(*parts: object) -> str:
    """Return a name for what depends on these values, all of JSON's.

    Args:
        *parts: The values.

    Returns:
        32 hexadecimal digits.
    """
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
