"""Pre-tokenisation: cut a text into words, and number the distinct ones."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import regex

__all__ = ["Words", "find_words"]


@dataclass(frozen=True)
class Words:
    """A text as its distinct words and the order in which they come.

    Args:
        distinct: The distinct words in UTF-8, in order of first appearance.
        counts: How often each comes in the text, int64.
        sequence: For each word of the text its index into ``distinct``, int32.
    """

    distinct: list[bytes]
    counts: np.ndarray
    sequence: np.ndarray


def find_words(text: str, pattern: str) -> Words:
    """Cut ``text`` by ``pattern`` and number the distinct words in order of first appearance."""
    return _number(_pieces(text, pattern))


def _pieces(text: str, pattern: str) -> Iterator[str]:
    return (match.group() for match in regex.finditer(pattern, text))


def _number(pieces: Iterator[str]) -> Words:
    number: dict[str, int] = {}
    sequence = np.fromiter((number.setdefault(piece, len(number)) for piece in pieces), np.int32)
    counts = np.bincount(sequence, minlength=len(number)).astype(np.int64)
    return Words([piece.encode() for piece in number], counts, sequence)
