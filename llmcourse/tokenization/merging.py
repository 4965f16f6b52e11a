"""Learning merges from distinct words, several merges at a time.

Byte pair encoding merges the most frequent pair, counts again, and so on: ten thousand rounds, each short. Two ideas
make the rounds cheap enough for arrays. A :class:`PairIndex` knows where each pair stands, so that a round touches
only what changes. And merges that do not touch commute: as long as the pairs at the top of the list share no border
(no pair's left token is another's right), merging one leaves the counts of the others as they are, so that a whole
batch is merged by one pass over arrays, provided that no pair which *arises* would have come before the batch's end.
"""

import bisect
from collections.abc import Sequence

import numpy as np

from llmcourse.tokenization.pair_index import Candidates, PairIndex
from llmcourse.tokenization.word_encoder import WordEncoder

__all__ = ["WordEncoder", "learn"]

_FRONTIER = 1024  # pairs kept in view; the others are looked at again when these are used up
_BATCH = 48


def learn(
    distinct: Sequence[bytes],
    counts: np.ndarray,
    n_merges: int,
    *,
    tie_break: str,
    base_ids: Sequence[int],
    first_id: int,
) -> list[tuple[bytes, bytes]]:
    r"""Learn merges until ``n_merges`` new tokens exist or no pair is left (Sennrich et al. 2016, arXiv:1508.07909).

    A token is known by its bytes. A merge that spells a token which exists already adds a merge and no token, as in
    the trainer of Hugging Face's ``tokenizers``.

    Args:
        distinct: Distinct words; "first" takes their order for the order in which they were seen.
        counts: How often each comes.
        n_merges: How many tokens to add.
        tie_break: Of equally frequent pairs take: "bytes", the greatest pair of byte strings; "ids", the smallest pair
            of ids (``tokenizers``); "first", the pair that stands first in the words as they are now (minbpe).
        base_ids: The id of each of the 256 bytes.
        first_id: The id of the first new token; the others follow.

    Returns:
        Pairs of byte strings in the order in which they were merged.

    Raises:
        ValueError: An unknown tie_break.

    Cost: a few array operations a batch and some 200 ns for each place where a merge changes something.

    Example:
        >>> low = [b"low", b" lower", b" low"]
        >>> learn(low, np.array([1, 1, 2]), 3, tie_break="bytes", base_ids=range(256), first_id=256)
        [(b'o', b'w'), (b'l', b'ow'), (b' ', b'low')]
    """
    if tie_break not in _ORDERS:
        raise ValueError(f"tie_break {tie_break!r} is unknown: choose 'bytes', 'ids' or 'first'")
    kept = [number for number, word in enumerate(distinct) if len(word) > 1]
    if not kept or n_merges < 1:
        return []
    words = [distinct[number] for number in kept]
    index = PairIndex(words, np.asarray(counts)[kept], base_ids)
    return _Learner(index, base_ids, first_id, n_merges, _ORDERS[tie_break]).run()


class _ById:
    """Of pairs with equal counts the smallest pair of ids comes first."""

    keeps_counts = True  # tokenizers never takes a merged pair's count back, which shows if the pair arises again

    def __init__(self, learner: "_Learner") -> None:
        self.learner = learner

    def add(self, token: int) -> None:
        """Learn of a token."""

    def sort(self, pairs: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Return the order of pairs: by falling count, then by the tie-break."""
        index = self.learner.index
        return np.lexsort((index.right[pairs], index.left[pairs], -counts))

    def key(self, left: int, right: int, at: int) -> tuple:
        """Return what is smaller for the pair that comes first."""
        return left, right


class _ByBytes(_ById):
    """Of pairs with equal counts the greatest pair of byte strings comes first.

    Strings are compared through labels: integers in the same order, a new one halfway between its neighbours'.
    """

    keeps_counts = False

    def __init__(self, learner: "_Learner") -> None:
        super().__init__(learner)
        self._sorted = sorted((spelling, token) for token, spelling in learner.spelling.items())
        self._label = np.zeros(learner.highest_id, np.int64)
        self._relabel()

    def _relabel(self) -> None:
        self._label[[token for _, token in self._sorted]] = np.arange(1, len(self._sorted) + 1) << 40

    def add(self, token: int) -> None:
        """Learn of a token."""
        entry = (self.learner.spelling[token], token)
        place = bisect.bisect(self._sorted, entry)
        below = int(self._label[self._sorted[place - 1][1]]) if place else 0
        above = int(self._label[self._sorted[place][1]]) if place < len(self._sorted) else below + (2 << 40)
        self._sorted.insert(place, entry)
        self._label[token] = (below + above) // 2
        if above - below < 2:
            self._relabel()

    def sort(self, pairs: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Return the order of pairs: by falling count, then by the tie-break."""
        index = self.learner.index
        return np.lexsort((-self._label[index.right[pairs]], -self._label[index.left[pairs]], -counts))

    def key(self, left: int, right: int, at: int) -> tuple:
        """Return what is smaller for the pair that comes first."""
        spelling = self.learner.spelling
        return _Falling(spelling[left]), _Falling(spelling[right])


class _Falling(bytes):
    """Bytes in falling order."""

    def __lt__(self, other: bytes) -> bool:
        return bytes.__gt__(self, other)


class _ByPlace(_ById):
    """Of pairs with equal counts the one that stands first comes first."""

    keeps_counts = False

    def __init__(self, learner: "_Learner") -> None:
        super().__init__(learner)
        self._first: dict[int, int] = {}

    def sort(self, pairs: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Return the order of pairs: by falling count, then by the tie-break."""
        return np.lexsort(([self.first(pair) for pair in pairs.tolist()], -counts))

    def first(self, pair: int) -> int:
        """Return where a pair stands first; it stays there until a merge takes that place."""
        at = self._first.get(pair, -1)
        if at < 0 or self.learner.index.pair_at[at] != pair:
            at = self._first[pair] = int(self.learner.index.places(pair).min())
        return at

    def key(self, left: int, right: int, at: int) -> tuple:
        """Return what is smaller for the pair that comes first."""
        return (at,)


_ORDERS: dict[str, type[_ById]] = {"bytes": _ByBytes, "ids": _ById, "first": _ByPlace}


class _Learner:
    def __init__(
        self, index: PairIndex, base_ids: Sequence[int], first_id: int, n_merges: int, order: type[_ById]
    ) -> None:
        self.index = index
        self.spelling = {base_ids[byte]: bytes([byte]) for byte in range(256)}
        self.id_of = {spelling: token for token, spelling in self.spelling.items()}
        self.first_id, self.next_id, self.n_merges = first_id, first_id, n_merges
        self.highest_id = max(max(base_ids) + 1, first_id + n_merges)
        self.merges: list[tuple[bytes, bytes]] = []
        self.order = order(self)
        self._taken: dict[tuple[int, int], int] = {}
        self._frontier, self._least = np.empty(0, np.int64), 1 << 62
        self._width = _BATCH

    def run(self) -> list[tuple[bytes, bytes]]:
        while self.next_id < self.first_id + self.n_merges:
            top = self._top()
            if not top.size:
                break
            batch, spellings = self._batch(top)
            self._merge(batch, spellings)
        return self.merges

    def _top(self) -> np.ndarray:
        """Return the pairs that come first, in order; at least one if any pair is left."""
        counts = self.index.count[self._frontier]
        in_view = counts >= self._least
        self._frontier, counts = self._frontier[in_view], counts[in_view]
        if not self._frontier.size:
            self._widen()
            counts = self.index.count[self._frontier]
        if counts.size > self._width:
            least = np.partition(counts, counts.size - self._width)[counts.size - self._width]
            among = np.flatnonzero(counts >= least)
        else:
            among = np.arange(counts.size)
        pairs = self._frontier[among]
        return pairs[self.order.sort(pairs, counts[among])][: self._width]

    def _widen(self) -> None:
        """Look at all pairs again, and keep in view those that are as frequent as the thousandth."""
        counts = self.index.count[: self.index.n_pairs]
        self._least = 1
        if counts.size > _FRONTIER:
            self._least = max(1, int(np.partition(counts, counts.size - _FRONTIER)[counts.size - _FRONTIER]))
        self._frontier = np.flatnonzero(counts >= self._least)

    def _batch(self, top: np.ndarray) -> tuple[np.ndarray, list[bytes]]:
        """Take pairs from the top as long as they share no border and spell no token that exists."""
        lefts: set[int] = set()
        rights: set[int] = set()
        spellings: list[bytes] = []
        most = self.first_id + self.n_merges - self.next_id
        pairs = zip(self.index.left[top].tolist(), self.index.right[top].tolist(), strict=True)
        for left, right in pairs:
            spelling = self.spelling[left] + self.spelling[right]
            if spellings and (left in rights or right in lefts or spelling in self.id_of or spelling in spellings):
                break
            lefts.add(left)
            rights.add(right)
            spellings.append(spelling)
            if len(spellings) == most or spelling in self.id_of:
                break
        return top[: len(spellings)], spellings

    def _merge(self, batch: np.ndarray, spellings: list[bytes]) -> None:
        new = np.arange(self.next_id, self.next_id + batch.size, dtype=np.int32)
        repeated = spellings[0] in self.id_of
        if repeated:
            new[0] = self.id_of[spellings[0]]
        self.spelling.update(zip(new.tolist(), spellings, strict=True))
        changes, n_merges = self.index.examine(batch, new)
        in_order = self._in_order(batch[:n_merges], changes, new)
        if in_order < n_merges:
            changes, n_merges = self.index.examine(batch[:in_order], new)
        batch, new = batch[:n_merges], new[:n_merges]
        self._width = min(_BATCH, 2 * n_merges + 4)
        self._record(batch, new, spellings)
        left_over = self.index.commit(batch, new, changes)
        if self.order.keeps_counts:
            pairs = zip(self.index.left[batch].tolist(), self.index.right[batch].tolist(), strict=True)
            self._taken.update(zip(pairs, left_over.tolist(), strict=True))
        self._enter(changes, repeated)

    def _in_order(self, batch: np.ndarray, changes: Candidates, new: np.ndarray) -> int:
        """Return how many merges of the batch come before every pair that those before them bring."""
        in_order = batch.size
        counts = self.index.count[batch].tolist()
        for group in np.flatnonzero(changes.group_count >= counts[-1]).tolist():
            count, maker = int(changes.group_count[group]), int(changes.group_which[group])
            for place in range(maker + 1, in_order):
                if count > counts[place] or (count == counts[place] and self._before(changes, group, int(batch[place]))):
                    in_order = place
                    break
        return in_order

    def _before(self, changes: Candidates, group: int, pair: int) -> bool:
        index = self.index
        ends = np.append(changes.group_start, changes.added_at.size)
        at = int(changes.added_at[ends[group] : ends[group + 1]].min())
        first = self.order.first(pair) if isinstance(self.order, _ByPlace) else 0
        arising = self.order.key(int(changes.group_left[group]), int(changes.group_right[group]), at)
        return arising < self.order.key(int(index.left[pair]), int(index.right[pair]), first)

    def _record(self, batch: np.ndarray, new: np.ndarray, spellings: list[bytes]) -> None:
        lefts, rights = self.index.left[batch].tolist(), self.index.right[batch].tolist()
        for left, right, token, spelling in zip(lefts, rights, new.tolist(), spellings, strict=False):
            self.merges.append((self.spelling[left], self.spelling[right]))
            if spelling not in self.id_of:
                self.id_of[spelling] = token
                self.next_id += 1
                self.order.add(token)

    def _enter(self, changes: Candidates, repeated: bool) -> None:
        """Enter the pairs that arose, and keep those with many places in view."""
        if not changes.group_count.size:
            return
        count, at, starts = changes.group_count, changes.added_at, changes.group_start
        if repeated:
            count, at, starts = self._join(changes)
        numbers = self.index.add(changes.group_left, changes.group_right, count, at, starts)
        self._frontier = np.concatenate([self._frontier, numbers[count >= self._least]])

    def _join(self, changes: Candidates) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A token that arises a second time adds to pairs which exist: enter them anew with the places of both."""
        index, parts, counts = self.index, [], []
        ends = np.append(changes.group_start, changes.added_at.size)
        known_left, known_right = index.left[: index.n_pairs], index.right[: index.n_pairs]
        groups = zip(changes.group_left.tolist(), changes.group_right.tolist(), strict=True)
        for group, (left, right) in enumerate(groups):
            before = np.flatnonzero((known_left == left) & (known_right == right)).tolist()
            parts.append([index.places(pair) for pair in before] + [changes.added_at[ends[group] : ends[group + 1]]])
            counts.append(sum(index.count[before]) + changes.group_count[group] + self._taken.pop((left, right), 0))
            index.count[before] = 0
        joined = [np.concatenate(part) for part in parts]
        sizes = np.array([part.size for part in joined])
        return np.array(counts), np.concatenate(joined), np.cumsum(sizes) - sizes
