"""Shingles: a document as the set of its short runs of words."""

import zlib
from functools import lru_cache

import numpy as np
from jaxtyping import UInt32

__all__ = ["jaccard", "shingles_of"]

# An odd number without a pattern in its bits: the golden ratio's, as Knuth has it.
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


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
    if n_words < 1:
        raise ValueError(f"n_words is {n_words}: it is at least 1")
    words = text.lower().split()
    if not words:
        return np.empty(0, dtype=np.uint32)
    hashes = np.fromiter(map(_hash, words), dtype=np.int64, count=len(words)).view(np.uint64)
    n_words = min(n_words, len(words))
    n_runs = len(words) - n_words + 1
    runs = np.zeros(n_runs, dtype=np.uint64)
    for place in range(n_words):
        runs = (runs ^ hashes[place : place + n_runs]) * _MULTIPLIER
        runs ^= runs >> np.uint64(29)
    return np.unique((runs >> np.uint64(32)).astype(np.uint32))


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


@lru_cache(maxsize=2**16)  # a corpus repeats few words often
def _hash(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "surrogatepass"))
