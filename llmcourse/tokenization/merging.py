"""Learning merges from distinct words, several merges at a time.

Byte pair encoding merges the most frequent pair, counts again, and so on: ten thousand rounds, each short. Two ideas
make the rounds cheap enough for arrays. A :class:`PairIndex` knows where each pair stands, so that a round touches
only what changes. And merges that do not touch commute: as long as the pairs at the top of the list share no border
(no pair's left token is another's right), merging one leaves the counts of the others as they are, so that a whole
batch is merged by one pass over arrays, provided that no pair which *arises* would have come before the batch's end.

Merging never spells a token twice. A stretch of a word that begins and ends where tokens do has been cut by the merges
so far as it would be if it stood alone, so that one string is never both a token and two of them.
"""

from collections.abc import Sequence

import numpy as np

from llmcourse.tokenization.pair_index import Changes, PairIndex
from llmcourse.tokenization.tie_breaks import TIE_BREAKS, Order
from llmcourse.tokenization.word_encoder import WordEncoder

__all__ = ["WordEncoder", "learn"]

_FRONTIER = 1024  # pairs kept in view; when they are used up all pairs are looked at again
_BATCH = 48  # merges at a time at most


def learn(
    distinct: Sequence[bytes],
    counts: np.ndarray,
    n_merges: int,
    *,
    tie_break: str,
    base_ids: Sequence[int],
    first_id: int,
) -> list[tuple[bytes, bytes]]:
    r"""Learn merges (Sennrich et al. 2016, arXiv:1508.07909, section 3.2), in words as they are given.

    Args:
        distinct: Distinct words; "first" takes their order for the order in which they were seen.
        counts: How often each comes.
        n_merges: How many merges to learn; fewer if no pair is left.
        tie_break: Of equally frequent pairs take: "bytes", the greatest pair of byte strings; "ids", the smallest pair
            of ids (``tokenizers``); "first", the pair that stands first in the words as they are now (minbpe).
        base_ids: The id of each of the 256 bytes.
        first_id: The id of the first new token; the others follow.

    Returns:
        Pairs of byte strings in the order in which they are merged.

    Raises:
        ValueError: An unknown tie_break.

    Cost: some twenty array operations a batch, and some 200 ns for each place where a merge changes something.

    Example:
        >>> words = [b"low", b" lower", b" low"]
        >>> learn(words, np.array([1, 1, 2]), 3, tie_break="bytes", base_ids=range(256), first_id=256)
        [(b'o', b'w'), (b'l', b'ow'), (b' ', b'low')]
    """
    if tie_break not in TIE_BREAKS:
        raise ValueError(f"tie_break {tie_break!r} is unknown: choose 'bytes', 'ids' or 'first'")
    kept = [number for number, word in enumerate(distinct) if len(word) > 1]
    if not kept or n_merges < 1:
        return []
    index = PairIndex([distinct[number] for number in kept], np.asarray(counts)[kept], base_ids)
    spelling = {base_ids[byte]: bytes([byte]) for byte in range(256)}
    order = TIE_BREAKS[tie_break](index, spelling, max(*base_ids, first_id + n_merges) + 1)
    learner = _Learner(index, order, spelling, first_id)
    learner.run(n_merges)
    return learner.merges


class _Learner:
    """The loop: take what comes first, merge as much of it as is certain, enter the pairs that arise."""

    def __init__(self, index: PairIndex, order: Order, spelling: dict[int, bytes], first_id: int) -> None:
        self.merges: list[tuple[bytes, bytes]] = []
        self._index, self._order, self._spelling, self._first_id = index, order, spelling, first_id
        self._frontier, self._least = np.empty(0, np.int64), 1 << 62  # pairs in view, and what they have to count
        self._width = _BATCH

    def run(self, n_merges: int) -> None:
        while len(self.merges) < n_merges and (top := self._top()).size:
            batch = self._apart(top[: n_merges - len(self.merges)])
            self._merge(batch)

    def _top(self) -> np.ndarray:
        """Return the pairs that come first, in order; none if no pair is left."""
        counts = self._index.count[self._frontier]
        in_view = counts >= self._least
        self._frontier, counts = self._frontier[in_view], counts[in_view]
        if not self._frontier.size:
            counts = self._look_further()
        if counts.size > self._width:
            among = np.flatnonzero(counts >= _nth_greatest(counts, self._width))
        else:
            among = np.arange(counts.size)
        pairs = self._frontier[among]
        return pairs[self._order.sort(pairs, counts[among])][: self._width]

    def _look_further(self) -> np.ndarray:
        """Look at all pairs again, and keep in view those that count at least as much as the thousandth."""
        counts = self._index.count[: self._index.n_pairs]
        self._least = max(1, _nth_greatest(counts, _FRONTIER)) if counts.size > _FRONTIER else 1
        self._frontier = np.flatnonzero(counts >= self._least)
        return counts[self._frontier]

    def _apart(self, top: np.ndarray) -> np.ndarray:
        """Take pairs from the top as long as no one's left token is another's right."""
        lefts: set[int] = set()
        rights: set[int] = set()
        pairs = zip(self._index.left[top].tolist(), self._index.right[top].tolist(), strict=True)
        for place, (left, right) in enumerate(pairs):
            if left in rights or right in lefts:
                return top[:place]
            lefts.add(left)
            rights.add(right)
        return top

    def _merge(self, batch: np.ndarray) -> None:
        """Merge as much of a batch as is certain: its first pair always is."""
        tokens = np.arange(batch.size, dtype=np.int32) + (self._first_id + len(self.merges))
        pairs = self._spell(batch)
        self._spelling.update(zip(tokens.tolist(), (left + right for left, right in pairs), strict=True))
        changes, n_certain = self._index.examine(batch, tokens)
        n_in_order = self._in_order(batch[:n_certain], changes)
        if n_in_order < n_certain:
            changes, n_certain = self._index.examine(batch[:n_in_order], tokens)
        self.merges += pairs[:n_certain]
        for token in tokens[:n_certain].tolist():
            self._order.add(token)
        self._width = min(_BATCH, 2 * n_certain + 4)
        self._frontier = np.append(self._frontier, self._index.commit(batch[:n_certain], tokens, changes, self._least))

    def _spell(self, pairs: np.ndarray) -> list[tuple[bytes, bytes]]:
        both = zip(self._index.left[pairs].tolist(), self._index.right[pairs].tolist(), strict=True)
        return [(self._spelling[left], self._spelling[right]) for left, right in both]

    def _in_order(self, batch: np.ndarray, changes: Changes) -> int:
        """Return how many merges of a batch precede every pair that the merges before them bring.

        Nearly always all do. Each place of (ab, y) was one of (b, y), which ``_apart`` has kept out of the batch since
        it holds a part of (a, b): so (ab, y) counts no more than the batch's last pair. Left are ties, and (aa, aa).
        """
        in_order = batch.size
        counts = self._index.count[batch].tolist()
        for group in np.flatnonzero(changes.group_count >= counts[-1]).tolist():
            count, arising = int(changes.group_count[group]), changes.pair(group)
            for place in range(int(changes.group_which[group]) + 1, in_order):
                tied = count == counts[place] and self._order.comes_first(arising, int(batch[place]))
                if count > counts[place] or tied:
                    in_order = place
                    break
        return in_order


def _nth_greatest(values: np.ndarray, n: int) -> int:
    return int(np.partition(values, values.size - n)[values.size - n])
