"""Hashes of all words of many documents at once: arithmetic over arrays of characters; no word becomes an object."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate

import numpy as np
from jaxtyping import Int, UInt64

__all__ = ["word_hashes"]

# Odd, so that it has an inverse modulo 2^64, and without a pattern in its bits.
_BASE = 0xD1342543DE82EF95
_INVERSE = pow(_BASE, -1, 2**64)
_MIXER = np.uint64(0x9E3779B97F4A7C15)

_USUAL = 2**17  # characters; the powers for so many are kept
_SPACES = [code for code in range(0x3001) if chr(code).isspace()]  # none comes after, which a test holds
_ASCII_LETTERS = bytes(0 if code > 127 or chr(code).isspace() else code + 1 for code in range(256))


def word_hashes(documents: Sequence[str]) -> tuple[UInt64[np.ndarray, " n_words"], Int[np.ndarray, " n_documents"]]:
    r"""Return a hash of each word of each document; words are what ``str.split`` gives, in lower case.

    A word of characters c_0, c_1, ... is hashed as a polynomial, c_0 + c_1 b + c_2 b^2 + ..., modulo 2^64 (Karp & Rabin
    1987). The whole text is multiplied with the powers of b as if it were one word; the sum over a word that begins at
    place s is then b^s times its hash, and since b is odd, b^s can be divided out.

    Args:
        documents: Texts; the memory that is taken is about 40 bytes for each of their characters.

    Returns:
        The hashes of all words in a row, and how many of them each document has.

    Example:
        >>> hashes, counts = word_hashes(["to be or not", "", "To be"])
        >>> counts.tolist(), bool((hashes[:2] == hashes[4:]).all()), len(set(hashes.tolist()))
        ([4, 0, 2], True, 4)
    """
    # Lower case first: what Σ becomes depends on where it stands in its document.
    lowered = [document.lower() for document in documents]
    letters = _letters(" ".join(lowered))
    begins = letters != 0
    begins[1:] &= letters[:-1] == 0
    starts = np.flatnonzero(begins)
    ends = np.fromiter(accumulate(len(text) + 1 for text in lowered), dtype=np.int64, count=len(lowered))
    counts = np.diff(np.searchsorted(starts, ends), prepend=0)
    if not len(starts):
        return np.empty(0, dtype=np.uint64), counts
    powers, inverses = _powers(len(letters))
    terms = np.multiply(letters, powers[: len(letters)], dtype=np.uint64)
    hashes = np.add.reduceat(terms, starts) * inverses[starts]  # white space is 0, and adds nothing
    # The low bits of a polynomial depend on the characters' low bits alone: the high ones are mixed in.
    hashes ^= hashes >> np.uint64(32)
    hashes *= _MIXER
    return hashes, counts


def _letters(text: str) -> np.ndarray:
    """Return each character's code plus 1, and 0 for white space; in bytes where they suffice."""
    if text.isascii():
        return np.frombuffer(text.encode("ascii").translate(_ASCII_LETTERS), dtype=np.uint8)
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    letters = codes + np.uint32(1)
    letters[_is_space()[np.minimum(codes, _SPACES[-1] + 1)]] = 0
    return letters


@lru_cache(maxsize=1)
def _is_space() -> np.ndarray:
    """Return which codes are white space, up to the first that none follows."""
    spaces = np.zeros(_SPACES[-1] + 2, dtype=bool)
    spaces[_SPACES] = True
    return spaces


def _powers(length: int) -> tuple[UInt64[np.ndarray, " n"], UInt64[np.ndarray, " n"]]:
    """Return at least as many powers of the base, and of its inverse."""
    return _powers_of_usual_length() if length <= _USUAL else _powers_up_to(length)


@lru_cache(maxsize=1)
def _powers_of_usual_length() -> tuple[UInt64[np.ndarray, " n"], UInt64[np.ndarray, " n"]]:
    return _powers_up_to(_USUAL)


def _powers_up_to(length: int) -> tuple[UInt64[np.ndarray, " n"], UInt64[np.ndarray, " n"]]:
    factors = np.empty((2, length), dtype=np.uint64)
    factors[0], factors[1] = _BASE, _INVERSE
    factors[:, 0] = 1
    powers, inverses = np.cumprod(factors, axis=1, dtype=np.uint64)
    return powers, inverses
