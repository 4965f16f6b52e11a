"""Which of several equally frequent pairs is merged: the three conventions in use, as sorting orders.

Each can sort an array of pairs by falling count and then by its rule, and can compare two single pairs. They are made
of the index of pairs, the spelling of every token (which grows as tokens are made) and an upper limit of ids.
"""

import bisect
from collections.abc import Mapping
from typing import Protocol

import numpy as np

from llmcourse.tokenization.pair_index import PairIndex

__all__ = ["TIE_BREAKS", "Order"]


class Order(Protocol):
    """A sorting order of pairs."""

    def add(self, token: int) -> None:
        """Learn of a token that has just been made."""
        ...

    def sort(self, pairs: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Return the indices that put pairs of these counts in order, the first to merge first."""
        ...

    def comes_first(self, arising: tuple[int, int, int], pair: int) -> bool:
        """Whether a new pair (its left and right token and its first place) precedes one of the same count."""
        ...


class _ById:
    """The smallest pair of ids comes first: Hugging Face's ``tokenizers``."""

    def __init__(self, index: PairIndex, spelling: Mapping[int, bytes], n_ids: int) -> None:
        self._index = index

    def add(self, token: int) -> None:
        pass

    def sort(self, pairs: np.ndarray, counts: np.ndarray) -> np.ndarray:
        return np.lexsort((self._index.right[pairs], self._index.left[pairs], -counts))

    def comes_first(self, arising: tuple[int, int, int], pair: int) -> bool:
        return arising[:2] < (int(self._index.left[pair]), int(self._index.right[pair]))


class _ByBytes:
    """The greatest pair of byte strings comes first.

    Strings are compared through labels, integers in the same order; a new string's lies halfway between those of its
    neighbours, and when there is no room left all labels are spread out again.
    """

    def __init__(self, index: PairIndex, spelling: Mapping[int, bytes], n_ids: int) -> None:
        self._index, self._spelling = index, spelling
        self._sorted = sorted((string, token) for token, string in spelling.items())
        self._label = np.zeros(n_ids, np.int64)
        self._spread()

    def _spread(self) -> None:
        self._label[[token for _, token in self._sorted]] = np.arange(1, len(self._sorted) + 1) << 40

    def add(self, token: int) -> None:
        entry = (self._spelling[token], token)
        place = bisect.bisect(self._sorted, entry)
        below = self._label_at(place - 1)
        above = self._label_at(place) if place < len(self._sorted) else below + (2 << 40)
        self._sorted.insert(place, entry)
        self._label[token] = (below + above) // 2
        if above - below < 2:
            self._spread()

    def _label_at(self, place: int) -> int:
        return int(self._label[self._sorted[place][1]]) if place >= 0 else 0

    def sort(self, pairs: np.ndarray, counts: np.ndarray) -> np.ndarray:
        left, right = self._label[self._index.left[pairs]], self._label[self._index.right[pairs]]
        return np.lexsort((-right, -left, -counts))

    def comes_first(self, arising: tuple[int, int, int], pair: int) -> bool:
        left, right = int(self._index.left[pair]), int(self._index.right[pair])
        spelling = self._spelling  # and not labels: whether the arising token is made at all is only being decided
        return (spelling[arising[0]], spelling[arising[1]]) > (spelling[left], spelling[right])


class _ByPlace:
    """The pair that stands first in the words as they are now comes first: minbpe."""

    def __init__(self, index: PairIndex, spelling: Mapping[int, bytes], n_ids: int) -> None:
        self._index = index
        self._first: dict[int, int] = {}

    def add(self, token: int) -> None:
        pass

    def sort(self, pairs: np.ndarray, counts: np.ndarray) -> np.ndarray:
        places = np.array([self._first_place(pair) for pair in pairs.tolist()], np.int64)
        return np.lexsort((places, -counts))

    def _first_place(self, pair: int) -> int:
        """Return where a pair stands first; it stays there until a merge takes that place."""
        at = self._first.get(pair, -1)
        if at < 0 or self._index.pair_at[at] != pair:
            at = self._first[pair] = int(self._index.places(pair).min())
        return at

    def comes_first(self, arising: tuple[int, int, int], pair: int) -> bool:
        return arising[2] < self._first_place(pair)


TIE_BREAKS: dict[str, type[_ById] | type[_ByBytes] | type[_ByPlace]] = {
    "bytes": _ByBytes,
    "ids": _ById,
    "first": _ByPlace,
}
