"""Where each pair of tokens stands, kept up to date as pairs are merged: the index behind fast training.

All distinct words lie in one array of tokens with a border between two words; each position knows the next and the
previous token (a linked list, so that a merge moves nothing) and the pair that starts there. A pair knows its count
and, in a pool, the positions where it stood when it arose: its places are found without a scan, and those which a
later merge has taken are recognised by the position's own pair having changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Candidates", "PairIndex"]

_BORDER, _DEAD = -1, -2


@dataclass(frozen=True)
class Candidates:
    """What a batch of merges would change: its occurrences, and the pairs that it would bring, sorted into groups.

    Args:
        which: For each occurrence its merge's place in the batch; ``at``, ``second`` and ``after`` are its two tokens'
            positions and the next token's.
        left_of: For each occurrence that follows a token which is not merged itself: its index and that token.
        added_at: The positions of new pairs, group by group.
        group_which: For each group of equal new pairs the merge that makes it; then its tokens, count and start.
    """

    which: np.ndarray
    at: np.ndarray
    second: np.ndarray
    after: np.ndarray
    removed: np.ndarray
    removed_weight: np.ndarray
    removed_which: np.ndarray
    added_at: np.ndarray
    group_which: np.ndarray
    group_left: np.ndarray
    group_right: np.ndarray
    group_count: np.ndarray
    group_start: np.ndarray


class PairIndex:
    """Tokens of all distinct words, and the count and places of every pair of neighbours.

    Args:
        distinct: Distinct words.
        counts: How often each comes.
        base_ids: The token of each of the 256 bytes.
    """

    def __init__(self, distinct: Sequence[bytes], counts: np.ndarray, base_ids: Sequence[int]) -> None:
        lengths = np.fromiter(map(len, distinct), np.int64, len(distinct))
        size = int(lengths.sum()) + len(distinct) + 1
        inside = np.ones(size, bool)
        inside[0] = False
        inside[np.cumsum(lengths + 1)] = False
        raw = np.frombuffer(b"".join(distinct), np.uint8)
        self.token = np.full(size, _BORDER, np.int32)
        self.token[inside] = np.asarray(base_ids, np.int32)[raw]
        self.next = np.arange(1, size + 1, dtype=np.int32)
        self.previous = np.arange(-1, size - 1, dtype=np.int32)
        self.weight = np.zeros(size, np.int64)
        self.weight[inside] = np.repeat(np.asarray(counts, np.int64), lengths)
        self.pair_at = np.full(size, -1, np.int32)
        self._owner = np.full(size, -1, np.int32)
        self.n_pairs, self._pool_size = 0, 0
        self.left, self.right = np.empty(1 << 16, np.int32), np.empty(1 << 16, np.int32)
        self.count, self.start, self.size = (np.empty(1 << 16, np.int64) for _ in range(3))
        self.pool = np.empty(size, np.int32)
        self._index_bytes(inside)

    def _index_bytes(self, inside: np.ndarray) -> None:
        at = np.flatnonzero(inside[:-1] & inside[1:])
        left, right = self.token[at], self.token[at + 1]
        _, left_rank = np.unique(left, return_inverse=True)  # fewer than 257 tokens: a pair fits in 16 bits,
        _, right_rank = np.unique(right, return_inverse=True)  # which numpy sorts by radix
        key = (left_rank * 256 + right_rank).astype(np.uint16)
        order = np.argsort(key, kind="stable")
        starts = _group_starts(key[order])
        first = order[starts]
        self.add(left[first], right[first], np.add.reduceat(self.weight[at][order], starts), at[order], starts)

    def places(self, pair: int) -> np.ndarray:
        """Return the positions at which a pair stands now."""
        at = self.pool[self.start[pair] : self.start[pair] + self.size[pair]]
        return at[self.pair_at[at] == pair]

    def add(
        self, left: np.ndarray, right: np.ndarray, count: np.ndarray, at: np.ndarray, starts: np.ndarray
    ) -> np.ndarray:
        """Enter new pairs with their positions, group by group; return their numbers."""
        first, last = self.n_pairs, self.n_pairs + left.size
        self._reserve(last, self._pool_size + at.size)
        sizes = np.diff(starts, append=at.size)
        self.left[first:last], self.right[first:last], self.count[first:last] = left, right, count
        self.start[first:last], self.size[first:last] = starts + self._pool_size, sizes
        self.pool[self._pool_size : self._pool_size + at.size] = at
        self.n_pairs, self._pool_size = last, self._pool_size + at.size
        numbers = np.arange(first, last)
        self.pair_at[at] = np.repeat(numbers, sizes)
        return numbers

    def _reserve(self, pairs: int, pool: int) -> None:
        if pairs > self.left.size:
            for name in ("left", "right", "count", "start", "size"):
                setattr(self, name, np.resize(getattr(self, name), 2 * pairs))
        if pool > self.pool.size:
            self.pool = np.resize(self.pool, max(pool, self.pool.size * 3 // 2))

    def examine(self, batch: np.ndarray, new: np.ndarray) -> tuple[Candidates, int]:
        """Work out what merging ``batch`` into the tokens ``new`` would change, and change nothing.

        No two pairs of the batch may share a token such that one's left is the other's right.

        Returns:
            The changes, and how many merges of the batch they hold: it ends before one of which an occurrence stands
            beside another's.
        """
        which, at, second = self._occurrences(batch)
        before, after = self.previous[at], self.next[second]
        self._owner[at] = self._owner[second] = which
        owner_before, owner_after = self._owner[before], self._owner[after]
        self._owner[at] = self._owner[second] = -1
        n_merges = batch.size
        touching = (owner_after >= 0) & (owner_after != which)
        if touching.any():
            n_merges = int(np.maximum(which, owner_after)[touching].min())
            keep = which < n_merges
            which, at, second, before, after = which[keep], at[keep], second[keep], before[keep], after[keep]
            owner_before, owner_after = owner_before[keep], owner_after[keep]
            owner_before[owner_before >= n_merges] = -1
            owner_after[owner_after >= n_merges] = -1
        return self._changes(which, at, second, before, after, owner_before, owner_after, new), n_merges

    def _occurrences(self, batch: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        sizes = self.size[batch]
        which = np.repeat(np.arange(batch.size, dtype=np.int32), sizes)
        ends = np.cumsum(sizes)
        at = self.pool[np.arange(ends[-1]) + np.repeat(self.start[batch] - (ends - sizes), sizes)]
        alive = self.pair_at[at] == batch[which]
        which, at = which[alive], at[alive]
        doubles = np.flatnonzero(self.left[batch] == self.right[batch])
        for double in doubles.tolist():
            which, at = self._without_overlap(which, at, double)
        return which, at, self.next[at]

    def _without_overlap(self, which: np.ndarray, at: np.ndarray, double: int) -> tuple[np.ndarray, np.ndarray]:
        """Of a token's run keep every other place: aaa is (aa, a)."""
        mine = which == double
        places = np.sort(at[mine])
        index = np.arange(places.size)
        chained = np.zeros(places.size, bool)
        chained[1:] = places[1:] == self.next[places[:-1]]
        places = places[(index - np.maximum.accumulate(np.where(chained, 0, index))) % 2 == 0]
        return (
            np.concatenate([which[~mine], np.full(places.size, double, np.int32)]),
            np.concatenate([at[~mine], places]),
        )

    def _changes(
        self,
        which: np.ndarray,
        at: np.ndarray,
        second: np.ndarray,
        before: np.ndarray,
        after: np.ndarray,
        owner_before: np.ndarray,
        owner_after: np.ndarray,
        new: np.ndarray,
    ) -> Candidates:
        made = new[which]
        weight = self.weight[at]
        token_before, token_after = self.token[before], np.where(owner_after >= 0, made, self.token[after])
        has_left = np.flatnonzero((token_before >= 0) & (owner_before < 0))
        has_right = np.flatnonzero(token_after >= 0)
        sides = np.concatenate([has_left, has_right])
        side_which, side_weight = which[sides], weight[sides]
        left = np.concatenate([token_before[has_left], made[has_right]])
        right = np.concatenate([made[has_left], token_after[has_right]])
        key = (left.astype(np.int64) << 32) | right
        order = np.argsort(key, kind="stable")
        starts = _group_starts(key[order])
        first = order[starts]
        return Candidates(
            which=which,
            at=at,
            second=second,
            after=after,
            removed=self.pair_at[np.concatenate([before[has_left], second[has_right]])],
            removed_weight=side_weight,
            removed_which=side_which,
            added_at=np.concatenate([before[has_left], at[has_right]])[order],
            group_which=side_which[first],
            group_left=left[first],
            group_right=right[first],
            group_count=np.add.reduceat(side_weight[order], starts) if starts.size else np.empty(0, np.int64),
            group_start=starts,
        )

    def commit(self, batch: np.ndarray, new: np.ndarray, changes: Candidates) -> np.ndarray:
        """Carry out merges: tokens, links, and what is taken from old pairs; ``add`` then enters the new ones.

        Returns:
            What is left of the merged pairs' counts when neighbours have been taken off, before they are set to 0.
        """
        self.token[changes.at] = new[changes.which]
        self.token[changes.second] = _DEAD
        self.next[changes.at] = changes.after
        self.previous[changes.after] = changes.at
        self.pair_at[changes.at] = -1
        self.pair_at[changes.second] = -1
        np.subtract.at(self.count, changes.removed, changes.removed_weight)
        left_over = self.count[batch]
        self.count[batch] = 0
        return left_over


def _group_starts(keys: np.ndarray) -> np.ndarray:
    """Return where each run of equal keys begins."""
    begins = np.ones(keys.size, bool)
    begins[1:] = keys[1:] != keys[:-1]
    return np.flatnonzero(begins)
