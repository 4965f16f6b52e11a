"""The parts of the data pipeline that run on workers: reading a file, scoring texts, making tokens of them."""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from llmcourse.pretraining.data_sources import read_documents
from llmcourse.pretraining.quality_classifier import QualityClassifier
from llmcourse.pretraining.quality_filter import quality_filter
from llmcourse.tokenization import BPETokenizer

__all__ = ["END_OF_TEXT", "clean_file", "encode_texts", "score_texts"]

END_OF_TEXT = "<|endoftext|>"
"""What ends each document, where the tokenizer has it."""


def clean_file(path: Path, *, heuristics: bool) -> dict[str, Any]:
    r"""Read a file and apply the heuristics.

    Args:
        path: One of :func:`llmcourse.pretraining.data_sources.find_sources`.
        heuristics: Whether to.

    Returns:
        ``texts``, and what was ``dropped`` by stage and reason, in JSON's values.
    """
    dropped: dict[str, Counter[str]] = {name: Counter() for name in ("read", "language", "quality")}
    texts: list[str] = []
    for text in read_documents(path, dropped=dropped["read"]):
        reasons = [reason.split(":")[0] for reason in quality_filter(text)] if heuristics else []
        if not reasons:
            texts.append(text)
        elif reasons[0] == "stop words":  # long enough, of words, and hardly one of the commonest English ones
            dropped["language"]["no English"] += 1
        else:
            dropped["quality"][reasons[0]] += 1
    return {"texts": texts, "dropped": dropped}


def score_texts(path: str, texts: Sequence[str]) -> Float[np.ndarray, " n_texts"]:
    r"""Return what a classifier says.

    Args:
        path: Where it was saved; read once by each process.
        texts: Documents.

    Returns:
        Scores.
    """
    return _classifier_at(path, Path(path).stat().st_mtime_ns).score(texts)


def encode_texts(path: str, wanted: str, texts: Sequence[str]) -> list[Int[np.ndarray, " length"]]:
    r"""Return the ids of texts, each with the token that ends a document.

    Args:
        path: Where the tokenizer was saved; read once by each process.
        wanted: Its fingerprint, by which one that was read before is known.
        texts: Documents; what looks like a special token in one is text, so that no page ends itself.

    Returns:
        Ids of each.
    """
    tokenizer = _tokenizer_at(path, wanted)
    end = [tokenizer.special_tokens[END_OF_TEXT]] if END_OF_TEXT in tokenizer.special_tokens else []
    parts = (tokenizer.encode_to_numpy(text, disallowed_special=()) for text in texts)
    return [np.concatenate([part, np.array(end, np.int32)]) for part in parts]


@lru_cache(maxsize=1)
def _classifier_at(path: str, changed: int) -> QualityClassifier:
    return QualityClassifier.load(path)


@lru_cache(maxsize=1)
def _tokenizer_at(path: str, wanted: str) -> BPETokenizer:
    return BPETokenizer.load(path)
