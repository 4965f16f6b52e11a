"""Near-duplicates: MinHash finds pairs that may be alike, and the exact similarity decides."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass

import numpy as np
from jaxtyping import Int, UInt32

from llmcourse.pretraining.shingles import jaccard, shingle_sets

__all__ = ["Duplicates", "choose_bands", "minhash_dedup"]

# An odd number without a pattern in its bits.
_MULTIPLIER = np.uint64(0xD1342543DE82EF95)


@dataclass(frozen=True)
class Duplicates:
    """What was found.

    Attributes:
        kept: Which documents stay, in order: the first of each cluster, and all that are in none.
        clusters: Documents that are alike, directly or through others; two or more in each.
    """

    _: KW_ONLY
    kept: list[int]
    clusters: list[list[int]]


def minhash_dedup(
    documents: Sequence[str], *, threshold: float = 0.8, n_hashes: int = 128, n_words: int = 5, seed: int = 0
) -> Duplicates:
    r"""Find documents whose sets of shingles overlap, without comparing all pairs.

    Broder 1997, with banding (Leskovec, Rajaraman & Ullman, section 3.4): documents that agree in all rows of a band
    are candidates. FineWeb (Penedo et al. 2024, arXiv:2406.17557, section 3.4) takes 14 bands of 8 rows over 5-grams.

    Hash functions here are ``a x + b`` modulo 2^32 with odd ``a``, over shingles that are hashes already: one
    multiplication each, where :func:`llmcourse.pretraining.minhash_signature` divides by a prime.

    Args:
        documents: Texts.
        threshold: From which Jaccard similarity on two documents are alike.
        n_hashes: Length of a signature.
        n_words: Words in a shingle.
        seed: Of the hash functions.

    Returns:
        Which documents stay, and the clusters.

    Raises:
        ValueError: The threshold is no similarity above 0, or there is no hash function; quotes it.

    Cost: ``n_hashes`` products for a shingle; a comparison of two sets for a candidate pair.

    Example:
        >>> text = "the cat sat on the mat and looked at the dog that slept in the warm sun all day"
        >>> minhash_dedup([text, "something else entirely was written here today", text + " long"]).clusters
        [[0, 2]]
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold is {threshold}: it is above 0, and at most 1")
    if n_hashes < 1:
        raise ValueError(f"n_hashes is {n_hashes}: it is at least 1")
    generator = np.random.default_rng(seed)
    multipliers = generator.integers(0, 2**31, n_hashes, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    offsets = generator.integers(0, 2**32, n_hashes, dtype=np.uint32)
    sets = shingle_sets(documents, n_words=n_words)
    n_bands, n_rows = choose_bands(threshold, n_hashes=n_hashes)
    parent = list(range(len(documents)))
    # A thousand copies of one page would be half a million pairs: copies are joined at once.
    first: dict[bytes, int] = {}
    for index, one in enumerate(sets):
        if len(one) and first.setdefault(one.tobytes(), index) != index:
            _join(parent, first[one.tobytes()], index)
    different = np.array(list(first.values()), dtype=np.int64)
    signatures = _signatures([sets[index] for index in different], multipliers, offsets)
    seen: set[tuple[int, int]] = set()
    for bucket in _buckets(signatures[:, : n_bands * n_rows].reshape(-1, n_bands, n_rows), different):
        for place, later in enumerate(bucket):
            for earlier in bucket[:place]:
                if (earlier, later) in seen or _root(parent, earlier) == _root(parent, later):
                    continue
                seen.add((earlier, later))
                if jaccard(sets[earlier], sets[later]) >= threshold:
                    _join(parent, earlier, later)
    return _clusters(parent)


def choose_bands(threshold: float, *, n_hashes: int, miss: float = 0.01) -> tuple[int, int]:
    r"""Return bands and rows that find nearly all pairs at a threshold, with as few candidates below it as that allows.

    Args:
        threshold: The similarity.
        n_hashes: Length of a signature.
        miss: Which share of pairs exactly at the threshold may be missed.

    Returns:
        ``n_bands`` and ``rows_per_band``; the most rows that are allowed, since they leave the fewest candidates.

    Example:
        >>> choose_bands(0.8, n_hashes=128)
        (21, 6)
    """
    for n_rows in range(n_hashes, 1, -1):
        n_bands = n_hashes // n_rows
        if (1 - threshold**n_rows) ** n_bands <= miss:
            return n_bands, n_rows
    return n_hashes, 1


def _signatures(
    sets: Sequence[UInt32[np.ndarray, " n"]],
    multipliers: UInt32[np.ndarray, " n_hashes"],
    offsets: UInt32[np.ndarray, " n_hashes"],
) -> UInt32[np.ndarray, "n_sets n_hashes"]:
    signatures = np.full((len(sets), len(multipliers)), 2**32 - 1, dtype=np.uint32)
    # 512 shingles at a time stay in the processor's cache, with all their products, in one place that is used again:
    # the pages of a new one would cost more than the products.
    room = np.empty(len(multipliers) * 512, dtype=np.uint32)
    for signature, shingles in zip(signatures, sets, strict=True):
        for start in range(0, len(shingles), 512):
            some = shingles[start : start + 512]
            values = room[: len(multipliers) * len(some)].reshape(len(multipliers), len(some))
            np.multiply(multipliers[:, None], some, out=values)
            np.add(values, offsets[:, None], out=values)
            np.minimum(signature, values.min(axis=1), out=signature)
    return signatures


def _buckets(signatures: UInt32[np.ndarray, "n n_bands n_rows"], indices: Int[np.ndarray, " n"]) -> Iterator[list[int]]:
    """Give, band by band, the documents that agree in it; some that do not, since rows are hashed to one number."""
    for rows in signatures.transpose(1, 2, 0):
        keys = np.zeros(len(indices), dtype=np.uint64)
        for row in rows:
            keys = (keys ^ row) * _MULTIPLIER
            keys ^= keys >> np.uint64(32)
        order = np.argsort(keys, kind="stable")
        starts = np.flatnonzero(np.diff(keys[order], prepend=~keys[order[:1]]))
        sizes = np.diff(starts, append=len(order))
        for start, size in zip(starts[sizes > 1], sizes[sizes > 1], strict=True):
            yield indices[order[start : start + size]].tolist()


def _root(parent: list[int], index: int) -> int:
    while parent[index] != index:
        parent[index] = parent[parent[index]]
        index = parent[index]
    return index


def _join(parent: list[int], one: int, other: int) -> None:
    first, second = sorted((_root(parent, one), _root(parent, other)))
    parent[second] = first  # the earliest document of a cluster is its root


def _clusters(parent: list[int]) -> Duplicates:
    members: dict[int, list[int]] = defaultdict(list)
    for index in range(len(parent)):
        members[_root(parent, index)].append(index)
    return Duplicates(kept=sorted(members), clusters=[found for found in members.values() if len(found) > 1])
