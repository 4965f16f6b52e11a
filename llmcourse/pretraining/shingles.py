"""Shingles: a document as the set of its short runs of words."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Int, UInt32, UInt64

from llmcourse.pretraining.word_hashes import word_hashes

__all__ = ["jaccard", "shingle_sets", "shingles_of"]

# An odd number without a pattern in its bits: the golden ratio's, as Knuth has it.
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
# Characters that are hashed at a time: few enough that their arrays stay in the processor's cache.
_BATCH = 2**15


def shingles_of(text: str, *, n_words: int = 5) -> UInt32[np.ndarray, " n"]:
    r"""Return the hashes of all runs of words in a text.

    Broder 1997. Case and white space are of no matter. Runs are hashed all at once, from the hashes of their words.

    Args:
        text: The document.
        n_words: How many words a run has; a shorter text has one run.

    Returns:
        Different hashes, in order; none where there is no word.

    Raises:
        ValueError: ``n_words`` is less than 1.

    Example:
        >>> a, b = shingles_of("to be or not to be", n_words=2), shingles_of("To be, or not to be", n_words=2)
        >>> len(a), len(b), jaccard(a, b)
        (4, 5, 0.5)
    """
    return shingle_sets([text], n_words=n_words)[0]


def shingle_sets(documents: Sequence[str], *, n_words: int = 5) -> list[UInt32[np.ndarray, " n"]]:
    r"""Return what :func:`shingles_of` returns for each document, many documents at a time.

    Args:
        documents: Texts.
        n_words: How many words a run has; a shorter text has one run.

    Returns:
        One set for each document.

    Raises:
        ValueError: ``n_words`` is less than 1.

    Example:
        >>> [len(one) for one in shingle_sets(["to be or not to be", "", "to"], n_words=2)]
        [4, 0, 1]
    """
    if n_words < 1:
        raise ValueError(f"n_words is {n_words}: it is at least 1")
    sets: list[UInt32[np.ndarray, " n"]] = []
    for batch in _batches(documents):
        sets.extend(_sets_of(*word_hashes(batch), n_words))
    return sets


def jaccard(one: UInt32[np.ndarray, " n"], other: UInt32[np.ndarray, " m"]) -> float:
    r"""Return the exact Jaccard similarity of two sets: what both have, of what either has.

    Args:
        one: Different numbers.
        other: Different numbers.

    Returns:
        From 0 to 1; 0 where both are empty, since nothing says that they are alike.
    """
    both = len(np.intersect1d(one, other, assume_unique=True))
    either = len(one) + len(other) - both
    return both / either if either else 0.0


def _batches(documents: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for document in documents:
        batch.append(document)
        size += len(document)
        if size >= _BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _sets_of(
    hashes: UInt64[np.ndarray, " n_words_of_all"], counts: Int[np.ndarray, " n_documents"], n_words: int
) -> list[UInt32[np.ndarray, " n"]]:
    """Cut the words into documents, and return the set of each."""
    ends = np.cumsum(counts)
    # Runs from each word on; those that reach into the next document are left out. A document that is shorter than a
    # run is rare, and done by itself.
    runs = _runs(hashes, n_words)
    owners = np.repeat(np.arange(len(counts), dtype=np.uint64), counts)
    inside = np.arange(len(runs)) + n_words <= np.repeat(ends, counts)[: len(runs)]
    # A document's number above the hash: one sort orders all sets.
    keys = (owners[: len(runs)] << np.uint64(32) | runs >> np.uint64(32))[inside]
    for number in np.flatnonzero((counts > 0) & (counts < n_words)):
        whole = _runs(hashes[ends[number] - counts[number] : ends[number]], int(counts[number]))
        keys = np.append(keys, np.uint64(number) << np.uint64(32) | whole >> np.uint64(32))
    keys.sort()
    keys = keys[np.diff(keys, prepend=~keys[:1]) != 0]
    cuts = np.searchsorted(keys, np.arange(1, len(counts), dtype=np.uint64) << np.uint64(32))
    values = keys.astype(np.uint32)
    return [values[start:end] for start, end in zip([0, *cuts], [*cuts, len(values)], strict=True)]


def _runs(hashes: UInt64[np.ndarray, " n"], n_words: int) -> UInt64[np.ndarray, " n_runs"]:
    n_runs = max(len(hashes) - n_words + 1, 0)
    runs = np.zeros(n_runs, dtype=np.uint64)
    for place in range(n_words):
        runs = (runs ^ hashes[place : place + n_runs]) * _MULTIPLIER
        runs ^= runs >> np.uint64(29)
    return runs
