"""Encode words by merge rank, thousands of words at a time.

To encode a word is to merge its pair of lowest rank, leftmost first, until no pair is left that has a rank. Word after
word this is a loop in Python; over arrays all words go through their first merge together, then their second and so
on. The words stand side by side as the columns of a matrix of tokens, with a matrix of their pairs' ranks below, so
that "lowest rank" is a minimum over rows and "close the gap" is a shift of rows.
"""

import heapq
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from llmcourse.tokenization.pair_ranks import NO_RANK, PairRanks
from llmcourse.tokenization.word_starts import index_in_run

__all__ = ["WordEncoder", "ids_of_text", "list_of"]

_BLOCK = 1 << 18  # bytes in a block of words, which bounds the memory of its matrices
_ROWS = (4, 6, 8, 10, 12, 16, 24, 32, 64, 128)  # words up to each of these lengths make blocks together
_LONGEST = _ROWS[-1]  # bytes; each merge of a longer word would shift too many rows
_HUGE = 1 << 12  # bytes from which a word is worth array operations of its own
_FEWEST_PLACES = 400  # a merge at fewer than one in so many places is left to the heap
_FEW = 64  # words under which array operations cost more than loops
_CACHED = 1 << 16  # words


class WordEncoder:
    r"""The merges of a tokenizer, ready to be applied.

    Args:
        merges: Pairs of byte strings by rising rank; of a pair that comes twice the last counts.
        vocab: The id of each token: of all 256 bytes, of both parts of each merge and of what it makes.
        ranks: The merges' ranks, if not 0, 1, 2 and so on. Merges of equal rank must make the same token.
        whole_words: Whether a word that is a token is taken whole, even where merges would not make it (tiktoken).

    Raises:
        ValueError: Merges of one rank that make different tokens, or as many ranks as there are no merges.

    Example:
        >>> vocab = {bytes([byte]): byte for byte in range(256)} | {b"ow": 256, b"low": 257}
        >>> encoder = WordEncoder([(b"o", b"w"), (b"l", b"ow")], vocab)
        >>> encoder.encode([b"low", b"cow"])
        (array([257,  99, 256], dtype=int32), array([0, 1, 3]))
    """

    def __init__(
        self,
        merges: Sequence[tuple[bytes, bytes]],
        vocab: Mapping[bytes, int],
        *,
        ranks: Sequence[int] | None = None,
        whole_words: bool = False,
    ) -> None:
        self._vocab = vocab if whole_words else {}
        self._byte_ids = np.array([vocab[bytes([byte])] for byte in range(256)], np.int32)
        self._ranks = PairRanks(
            [(vocab[left], vocab[right], vocab[left + right]) for left, right in merges],
            range(len(merges)) if ranks is None else ranks,
            self._byte_ids,
        )
        self._cache: dict[bytes, list[int]] = {}

    def encode(self, distinct: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
        """Encode words.

        Args:
            distinct: Words, best each once.

        Returns:
            The ids of all words one after the other, int32, and where each begins and the last ends, int64: word i is
            ``ids[offsets[i] : offsets[i + 1]]``.

        Cost: some 0.4 microseconds a word of usual length; n log n in a word's length.
        """
        if len(distinct) < _FEW:
            return _flatten([self._cached(word) for word in distinct])
        lengths = np.fromiter(map(len, distinct), np.int64, len(distinct))
        sizes = lengths.copy()
        parts: list[tuple[np.ndarray, np.ndarray]] = []
        for columns, rows in _blocks(lengths):
            words = [distinct[column] for column in columns.tolist()]
            ids = self._merge_columns(words, lengths[columns], rows)
            sizes[columns] = (ids >= 0).sum(axis=0)
            parts.append((columns, ids))
        alone = np.flatnonzero(lengths > _LONGEST)
        if self._vocab:
            whole = [number for number, word in enumerate(distinct) if word in self._vocab]
            alone = np.union1d(alone, np.array(whole, np.int64))
        singles = [self._cached(distinct[number]) for number in alone.tolist()]
        sizes[alone] = [len(single) for single in singles]
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        flat = np.empty(offsets[-1] + _LONGEST, np.int32)
        for columns, ids in parts:
            _scatter(flat, offsets[columns], sizes[columns], ids)
        for number, single in zip(alone.tolist(), singles, strict=True):
            flat[offsets[number] : offsets[number + 1]] = single
        return flat[: offsets[-1]], offsets

    def _merge_columns(self, words: list[bytes], lengths: np.ndarray, rows: int) -> np.ndarray:
        """Return a matrix of ids with a word a column, -1 below its end."""
        raw = np.frombuffer(b"".join(words), np.uint8)
        inside = np.arange(rows)[:, None] < lengths
        codes = np.zeros((rows, lengths.size), np.uint8)
        codes.T[inside.T] = raw
        ids = np.full((rows + 2, lengths.size), -1, np.int32)
        ids[:rows] = np.where(inside, self._byte_ids[codes], -1)
        ranks = np.full((rows + 1, lengths.size), NO_RANK, np.int32)
        ranks[: rows - 1] = np.where(inside[1:], self._ranks.of_bytes(codes[:-1], codes[1:]), NO_RANK)
        done = np.full((rows, lengths.size), -1, np.int32)
        columns = np.arange(lengths.size)
        while True:
            best = ranks.min(axis=0)
            alive = best < NO_RANK
            left = int(np.count_nonzero(alive))
            if left < 0.8 * columns.size or left == 0:
                done[:, columns[~alive]] = ids[:rows, ~alive]
                columns, ids, ranks, best = columns[alive], ids[:, alive], ranks[:, alive], best[alive]
                alive = np.ones(left, bool)
            if left == 0:
                return done
            self._merge_once(ids, ranks, np.where(alive, best, -1))

    def _merge_once(self, ids: np.ndarray, ranks: np.ndarray, best: np.ndarray) -> None:
        """Merge, in each column with a best rank, the first pair that has it."""
        passed = np.logical_or.accumulate(ranks == best, axis=0)  # at and below the pair
        at = len(ranks) - np.add.reduce(passed, axis=0, dtype=np.uint8).astype(np.int64)
        columns = np.flatnonzero(best >= 0)
        at, made = at[columns], self._ranks.makes[best[columns]]
        np.copyto(ids[1:-1], ids[2:], where=passed[:-1])
        np.copyto(ranks[1:-1], ranks[2:], where=passed[:-2])
        ids[at, columns] = made
        # above the first row stands, by Python's index -1, the last: always empty
        above, below = ids[at - 1, columns], ids[at + 1, columns]
        fresh = self._ranks.of(np.concatenate([above, made]), np.concatenate([made, below]))
        ranks[at - 1, columns], ranks[at, columns] = fresh[: at.size], fresh[at.size :]

    def _cached(self, word: bytes) -> list[int]:
        ids = self._cache.get(word)
        if ids is None:
            if len(self._cache) >= _CACHED:
                self._cache.clear()
            ids = self._encode_alone(word)
            if len(word) <= _LONGEST:
                self._cache[word] = ids
        return ids

    def _merge_everywhere(self, ids: np.ndarray) -> np.ndarray:
        """Merge a huge word's best pair at all its places at once, as long as there are many places.

        This is leftmost first if no merge can make a pair that ranks before it, as after any training.
        """
        if not self._ranks.rising:
            return ids
        ranks = np.append(self._ranks.of(ids[:-1], ids[1:]), NO_RANK).astype(np.int32)
        while (best := int(ranks.min())) < NO_RANK:
            at = np.flatnonzero(ranks == best)
            at = at[index_in_run(at) % 2 == 0]
            if at.size < ids.size // _FEWEST_PLACES:
                break
            ids[at] = self._ranks.makes[best]
            keep = np.ones(ids.size, bool)
            keep[at + 1] = False
            ids, ranks = ids[keep], ranks[keep]
            at -= np.arange(at.size)
            following = np.append(ids, -1)
            ranks[at] = self._ranks.of(ids[at], following[at + 1])
            at = at[at > 0]
            ranks[at - 1] = self._ranks.of(ids[at - 1], ids[at])
        return ids

    def _encode_alone(self, word: bytes) -> list[int]:
        """Encode one word with a heap of its pairs: n log n."""
        if word in self._vocab:
            return [self._vocab[word]]
        start = self._byte_ids[np.frombuffer(word, np.uint8)]
        ids: list[int] = (self._merge_everywhere(start) if len(word) > _HUGE else start).tolist()
        table = self._ranks.table
        heap = [(*table[pair], at, *pair) for at, pair in enumerate(pairwise(ids)) if pair in table]
        heapq.heapify(heap)
        following = list(range(1, len(ids) + 1))
        preceding = list(range(-1, len(ids) - 1))
        while heap:
            _, made, at, left, right = heapq.heappop(heap)
            second = following[at] if ids[at] == left else len(ids)
            if second == len(ids) or ids[second] != right:
                continue  # one of the two has been merged since
            ids[at], ids[second] = made, -1
            after = following[at] = following[second]
            if after < len(ids):
                preceding[after] = at
                if found := table.get((made, ids[after])):
                    heapq.heappush(heap, (*found, at, made, ids[after]))
            before = preceding[at]
            if before >= 0 and (found := table.get((ids[before], made))):
                heapq.heappush(heap, (*found, before, ids[before], made))
        return [token for token in ids if token >= 0]


def _blocks(lengths: np.ndarray) -> list[tuple[np.ndarray, int]]:
    """Group words by length, so that little of a matrix is empty."""
    blocks = []
    for shorter, rows in pairwise((0, *_ROWS)):
        columns = np.flatnonzero((lengths > shorter) & (lengths <= rows))
        width = max(1, _BLOCK // rows)
        blocks += [(columns[first : first + width], rows) for first in range(0, columns.size, width)]
    return blocks


def _scatter(flat: np.ndarray, starts: np.ndarray, sizes: np.ndarray, ids: np.ndarray) -> None:
    """Write the columns of ``ids`` to their places."""
    for row in range(int(sizes.max(initial=0))):
        there = np.flatnonzero(sizes > row)
        flat[starts[there] + row] = ids[row, there]


def _flatten(words: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    offsets = np.zeros(len(words) + 1, np.int64)
    np.cumsum([len(word) for word in words], out=offsets[1:])
    return np.array([token for word in words for token in word], np.int32), offsets


def ids_of_text(ids: np.ndarray, offsets: np.ndarray, sequence: np.ndarray) -> np.ndarray:
    r"""Put the ids of distinct words in the order of a text.

    Args:
        ids: The ids of all distinct words, by ``WordEncoder.encode``.
        offsets: Where each word's begin, and the last one's end.
        sequence: The words of the text, as indices into the distinct ones.

    Returns:
        The ids of the text, int32.

    Example:
        >>> ids_of_text(np.array([7, 8, 9]), np.array([0, 2, 3]), np.array([1, 0, 1])).tolist()
        [9, 7, 8, 9]
    """
    sizes = np.diff(offsets)
    out = np.empty(int(sizes[sequence].sum()), ids.dtype)
    written, block = 0, 1 << 15
    for first in range(0, sequence.size, block):
        words = sequence[first : first + block]
        size = sizes.take(words)
        ends = np.cumsum(size)
        index = np.arange(ends[-1]) + np.repeat(offsets.take(words) - (ends - size), size)
        ids.take(index, out=out[written : written + index.size])
        written += index.size
    return out


def list_of(ids: np.ndarray) -> list[int]:
    r"""Return what ``ids.tolist()`` does, in half the time and a third of the memory for a long text.

    ``tolist`` makes a new integer of 28 bytes for each id; here equal ids are one object.

    Args:
        ids: Ids, none negative.

    Returns:
        The same as a list of int.

    Example:
        >>> list_of(np.array([1, 0, 1] * 3))
        [1, 0, 1, 1, 0, 1, 1, 0, 1]
    """
    limit = int(ids.max(initial=-1)) + 1
    if ids.size < 4 * limit:
        return ids.tolist()
    return np.arange(limit).astype(object).take(ids).tolist()
