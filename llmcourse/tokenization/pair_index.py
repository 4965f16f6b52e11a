"""Where each pair of tokens stands, kept up to date as pairs are merged: the index behind fast training.

All distinct words lie in one array of tokens with a border between two words; each position knows the next and the
previous token (a linked list, so that a merge moves nothing) and the pair that starts there. A pair knows its count
and, in a pool, the positions where it stood when it arose: its places are found without a scan, and those which a
later merge has taken are recognised by the position's own pair having changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Changes", "PairIndex"]

_BORDER, _DEAD = -1, -2


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What a batch of merges changes: where it merges, the pairs that it breaks, and those that arise.

    Args:
        which: For each place the merge's index in the batch.
        at: The position of the left token.
        second: The position of the right token.
        after: The position of the token, or border, after them.
        broken: The neighbouring pairs that are no more, and ``broken_weight`` how often each word comes.
        added_at: The positions of arising pairs, sorted into groups of equal pairs.
        group_start: Where each group starts in ``added_at``; then its merge, its tokens and its count.
    """

    which: np.ndarray
    at: np.ndarray
    second: np.ndarray
    after: np.ndarray
    broken: np.ndarray
    broken_weight: np.ndarray
    added_at: np.ndarray
    group_start: np.ndarray
    group_which: np.ndarray
    group_left: np.ndarray
    group_right: np.ndarray
    group_count: np.ndarray

    def pair(self, group: int) -> tuple[int, int, int]:
        """Return the left token of a group, the right one, and the first position."""
        end = self.group_start[group + 1] if group + 1 < self.group_start.size else self.added_at.size
        first = int(self.added_at[self.group_start[group] : end].min())
        return int(self.group_left[group]), int(self.group_right[group]), first


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
        self._token = np.full(size, _BORDER, np.int32)
        self._token[inside] = np.asarray(base_ids, np.int32)[raw]
        self._next = np.arange(1, size + 1, dtype=np.int32)
        self._previous = np.arange(-1, size - 1, dtype=np.int32)
        self._weight = np.zeros(size, np.int64)
        self._weight[inside] = np.repeat(np.asarray(counts, np.int64), lengths)
        self.pair_at = np.full(size, -1, np.int32)
        self._owner = np.full(size, -1, np.int32)
        self.n_pairs, self._pool_size = 0, 0
        self.left, self.right = np.empty(1 << 16, np.int32), np.empty(1 << 16, np.int32)
        self.count, self._start, self._size = (np.empty(1 << 16, np.int64) for _ in range(3))
        self._pool = np.empty(size, np.int32)
        self._index_bytes(inside)

    def _index_bytes(self, inside: np.ndarray) -> None:
        at = np.flatnonzero(inside[:-1] & inside[1:])
        left, right = self._token[at], self._token[at + 1]
        _, left_rank = np.unique(left, return_inverse=True)  # fewer than 257 tokens: a pair fits in 16 bits,
        _, right_rank = np.unique(right, return_inverse=True)  # which numpy sorts by radix
        key = (left_rank * 256 + right_rank).astype(np.uint16)
        order = np.argsort(key, kind="stable")
        starts = _group_starts(key[order])
        first = order[starts]
        self._enter(left[first], right[first], _sums(self._weight[at][order], starts), at[order], starts)

    def places(self, pair: int) -> np.ndarray:
        """Return the positions at which a pair stands now."""
        at = self._pool[self._start[pair] : self._start[pair] + self._size[pair]]
        return at[self.pair_at[at] == pair]

    def _enter(
        self, left: np.ndarray, right: np.ndarray, count: np.ndarray, at: np.ndarray, starts: np.ndarray
    ) -> np.ndarray:
        """Enter new pairs with their positions, group by group; return their numbers."""
        first, last = self.n_pairs, self.n_pairs + left.size
        self._reserve(last, self._pool_size + at.size)
        sizes = np.diff(starts, append=at.size)
        self.left[first:last], self.right[first:last], self.count[first:last] = left, right, count
        self._start[first:last], self._size[first:last] = starts + self._pool_size, sizes
        self._pool[self._pool_size : self._pool_size + at.size] = at
        self.n_pairs, self._pool_size = last, self._pool_size + at.size
        numbers = np.arange(first, last)
        self.pair_at[at] = np.repeat(numbers, sizes)
        return numbers

    def _reserve(self, pairs: int, pool: int) -> None:
        if pairs > self.left.size:
            for name in ("left", "right", "count", "_start", "_size"):
                setattr(self, name, np.resize(getattr(self, name), 2 * pairs))
        if pool > self._pool.size:
            self._pool = np.resize(self._pool, max(pool, self._pool.size * 3 // 2))

    def examine(self, batch: np.ndarray, tokens: np.ndarray) -> tuple[Changes, int]:
        """Work out what merging pairs would change, and change nothing.

        Args:
            batch: Pairs, none of whose left tokens is another's right one.
            tokens: What each becomes.

        Returns:
            The changes, and how many merges of the batch they hold: it ends before one of which a place stands beside
            an earlier one's, since the pair between the two would be counted wrongly.
        """
        which, at, second = self._places_of(batch)
        before, after = self._previous[at], self._next[second]
        self._owner[at] = self._owner[second] = which
        owner_before, owner_after = self._owner[before], self._owner[after]
        self._owner[at] = self._owner[second] = -1
        n_merges = batch.size
        touching = (owner_after >= 0) & (owner_after != which)
        if touching.any():
            n_merges = int(np.maximum(which, owner_after)[touching].min())
            kept = which < n_merges
            which, at, second, before, after = which[kept], at[kept], second[kept], before[kept], after[kept]
            owner_before, owner_after = owner_before[kept], owner_after[kept]
        joins = owner_before == which, owner_after == which
        return self._changes(which, at, second, before, after, joins, tokens), n_merges

    def _places_of(self, batch: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        sizes = self._size[batch]
        which = np.repeat(np.arange(batch.size, dtype=np.int32), sizes)
        ends = np.cumsum(sizes)
        at = self._pool[np.arange(ends[-1]) + np.repeat(self._start[batch] - (ends - sizes), sizes)]
        alive = self.pair_at[at] == batch[which]
        which, at = which[alive], at[alive]
        doubles = np.flatnonzero(self.left[batch] == self.right[batch])
        for double in doubles.tolist():
            which, at = self._without_overlap(which, at, double)
        return which, at, self._next[at]

    def _without_overlap(self, which: np.ndarray, at: np.ndarray, double: int) -> tuple[np.ndarray, np.ndarray]:
        """Of a token's run keep every other place: aaa is (aa, a)."""
        mine = which == double
        places = np.sort(at[mine])
        index = np.arange(places.size)
        chained = np.zeros(places.size, bool)
        chained[1:] = places[1:] == self._next[places[:-1]]
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
        joins: tuple[np.ndarray, np.ndarray],
        tokens: np.ndarray,
    ) -> Changes:
        joins_before, joins_after = joins  # whether the neighbour is a place of the same merge
        made, weight = tokens[which], self._weight[at]
        token_before, token_after = self._token[before], np.where(joins_after, made, self._token[after])
        has_left = np.flatnonzero((token_before >= 0) & ~joins_before)  # what joins counts once, from its left
        has_right = np.flatnonzero(token_after >= 0)
        sides = np.concatenate([has_left, has_right])
        left = np.concatenate([token_before[has_left], made[has_right]])
        right = np.concatenate([made[has_left], token_after[has_right]])
        key = (left.astype(np.int64) << 32) | right
        order = np.argsort(key, kind="stable")
        starts = _group_starts(key[order])
        first = order[starts]
        return Changes(
            which=which,
            at=at,
            second=second,
            after=after,
            broken=self.pair_at[np.concatenate([before[has_left], second[has_right]])],
            broken_weight=weight[sides],
            added_at=np.concatenate([before[has_left], at[has_right]])[order],
            group_start=starts,
            group_which=which[sides][first],
            group_left=left[first],
            group_right=right[first],
            group_count=_sums(weight[sides][order], starts),
        )

    def commit(self, batch: np.ndarray, tokens: np.ndarray, changes: Changes, least: int) -> np.ndarray:
        """Carry out merges.

        Args:
            batch: The pairs that are merged.
            tokens: What each becomes.
            changes: What ``examine`` returned for just these.
            least: A count.

        Returns:
            The numbers of the pairs that arose and count at least that much.
        """
        self._token[changes.at] = tokens[changes.which]
        self._token[changes.second] = _DEAD
        self._next[changes.at] = changes.after
        self._previous[changes.after] = changes.at
        self.pair_at[changes.at] = -1
        self.pair_at[changes.second] = -1
        np.subtract.at(self.count, changes.broken, changes.broken_weight)
        self.count[batch] = 0
        numbers = self._enter(
            changes.group_left, changes.group_right, changes.group_count, changes.added_at, changes.group_start
        )
        return numbers[changes.group_count >= least]


def _group_starts(keys: np.ndarray) -> np.ndarray:
    """Return where each run of equal keys begins."""
    begins = np.ones(keys.size, bool)
    begins[1:] = keys[1:] != keys[:-1]
    return np.flatnonzero(begins)


def _sums(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    return np.add.reduceat(values, starts) if starts.size else np.empty(0, np.int64)
