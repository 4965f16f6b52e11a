"""The rank of a pair of tokens, for one pair by a dict and for a whole array of pairs by a hash table of arrays."""

from collections.abc import Sequence

import numpy as np

__all__ = ["NO_RANK", "PairRanks"]

NO_RANK = np.iinfo(np.int32).max
_EMPTY = np.iinfo(np.int64).min
_ODD = np.uint64(0x9E3779B97F4A7C15)


class PairRanks:
    """Which pairs of tokens merge, in which order, and into what.

    Args:
        merges: Left token, right token and what they make; of a pair that comes twice the last counts.
        ranks: A number for each merge, the lower the earlier; equal ranks must make equal tokens.
        byte_ids: The token of each of the 256 bytes.

    Raises:
        ValueError: One rank for two different tokens, or not a rank for each merge.

    Attributes:
        table: For each pair its rank, counted from 0, and what it makes.
        makes: What the merges of each rank make, int32.
        rising: Whether every merge ranks after all that make its parts, so that no merge makes a pair before it.
    """

    def __init__(
        self, merges: Sequence[tuple[int, int, int]], ranks: Sequence[int], byte_ids: Sequence[int] | np.ndarray
    ) -> None:
        if len(merges) != len(ranks):
            raise ValueError(f"there are {len(ranks)} ranks for {len(merges)} merges: pass one for each")
        triples = np.array(merges, np.int64).reshape(-1, 3)
        different, dense = np.unique(np.asarray(ranks, np.int64), return_inverse=True)
        self.makes = np.zeros(different.size, np.int32)
        self.makes[dense] = triples[:, 2]
        if (wrong := np.flatnonzero(self.makes[dense] != triples[:, 2])).size:
            raise ValueError(f"rank {ranks[int(wrong[0])]} stands for merges into different tokens: it must make one")
        made = zip(dense.tolist(), triples[:, 2].tolist(), strict=True)
        self.table = dict(zip(map(tuple, triples[:, :2].tolist()), made, strict=True))
        made_at = np.full(int(triples.max(initial=0)) + 1, -1, np.int64)  # the last rank that makes each token
        np.maximum.at(made_at, triples[:, 2], dense)
        self.rising = bool((made_at[triples[:, :2]].max(axis=1, initial=-1) < dense).all())
        self._fill()
        grid = np.asarray(byte_ids, np.int32)
        self._bytes = self.of(np.repeat(grid, 256), np.tile(grid, 256))

    def _fill(self) -> None:
        """Enter all pairs at once: of those that meet in a slot one stays, the others try the next."""
        pairs = np.array(list(self.table), np.int64).reshape(-1, 2)
        keys, values = _key(pairs[:, 0], pairs[:, 1]), np.array([rank for rank, _ in self.table.values()], np.int32)
        bits = max(8, (4 * keys.size).bit_length())
        self._shift, self._last_slot = np.uint64(64 - bits), (1 << bits) - 1
        self._keys = np.full(1 << bits, _EMPTY, np.int64)
        self._values = np.full(1 << bits, NO_RANK, np.int32)
        slots = self._home(keys)
        while keys.size:
            free = self._keys[slots] == _EMPTY
            self._keys[slots[free]] = keys[free]
            won = self._keys[slots] == keys
            self._values[slots[won]] = values[won]
            keys, values, slots = keys[~won], values[~won], (slots[~won] + 1) & self._last_slot

    def _home(self, keys: np.ndarray) -> np.ndarray:
        mixed = keys.view(np.uint64) * _ODD
        return ((mixed ^ (mixed >> np.uint64(32))) * _ODD >> self._shift).view(np.int64)

    def of(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return the rank of each pair, or ``NO_RANK``; a token of -1 is in no pair.

        Args:
            left: The left tokens.
            right: The right tokens, as many.

        Returns:
            Ranks, int32.

        Example:
            >>> PairRanks([(97, 98, 256)], [0], range(256)).of(np.array([97, 98]), np.array([98, 97])).tolist()
            [0, 2147483647]
        """
        keys = _key(left, right)
        slots = self._home(keys)
        here = self._keys.take(slots)
        ranks = self._values.take(slots)
        other = here != keys
        ranks[other] = NO_RANK
        on = np.flatnonzero(other & (here != _EMPTY))
        slots = slots[on]
        while on.size:
            slots = (slots + 1) & self._last_slot
            here = self._keys.take(slots)
            hit = here == keys[on]
            ranks[on[hit]] = self._values[slots[hit]]
            further = ~hit & (here != _EMPTY)
            on, slots = on[further], slots[further]
        return ranks

    def of_bytes(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return the rank of each pair of bytes, from a table of all 65,536."""
        return self._bytes.take((left.astype(np.uint16) << 8) | right)


def _key(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return (left.astype(np.int64) << 32) | right.astype(np.int64)
