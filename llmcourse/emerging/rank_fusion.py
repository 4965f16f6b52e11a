"""Joining rankings whose scores cannot be compared, and measuring how good a ranking is."""

from collections.abc import Hashable, Sequence
from typing import TypeVar

__all__ = ["mean_reciprocal_rank", "recall_at_k", "reciprocal_rank_fusion"]

Item = TypeVar("Item", bound=Hashable)


def reciprocal_rank_fusion(rankings: Sequence[Sequence[Item]], k: int = 60) -> list[Item]:
    """Join rankings: each gives an item 1 / (k + its place, from 1 on), and an item it lacks nothing.

    Cormack, Clarke and Büttcher ("Reciprocal rank fusion outperforms Condorcet and individual rank learning methods",
    SIGIR 2009), whose k is 60. Scores are not looked at, so that BM25's sums and a bi-encoder's cosines need no common
    scale. The larger k is, the less a first place is worth beside agreement on a later one.

    Args:
        rankings: Each with the best item first, and no item twice.
        k: 0 or more.

    Returns:
        All items that occur, the best first; of equals, the one that comes up earlier.

    Raises:
        ValueError: k is below 0, or a ranking holds an item twice.

    Example:
        >>> reciprocal_rank_fusion([["a", "b", "c"], ["c", "b", "d"]], k=1)  # a 1/2, b 2/3, c 1/4 + 1/2, d 1/4
        ['c', 'b', 'a', 'd']
    """
    if k < 0:
        raise ValueError(f"k is {k}: give 0 or more, 60 for instance")
    total: dict[Item, float] = {}
    for ranking in rankings:
        if len(set(ranking)) < len(ranking):
            raise ValueError(f"a ranking of {len(ranking)} holds {len(set(ranking))} different items: drop repeats")
        for place, item in enumerate(ranking, start=1):
            total[item] = total.get(item, 0.0) + 1 / (k + place)
    return sorted(total, key=lambda item: -total[item])


def _places(rankings: Sequence[Sequence[Item]], relevant: Sequence[Item]) -> list[int | None]:
    if not rankings or len(rankings) != len(relevant):
        raise ValueError(f"{len(rankings)} rankings, {len(relevant)} right answers: give one each, and at least one")
    return [
        list(ranking).index(item) + 1 if item in ranking else None
        for ranking, item in zip(rankings, relevant, strict=True)
    ]


def recall_at_k(rankings: Sequence[Sequence[Item]], relevant: Sequence[Item], k: int) -> float:
    """Return the share of queries whose answer is among the first k; each has one answer.

    Args:
        rankings: One for each query, the best item first.
        relevant: The item that answers each.
        k: 1 or more.

    Returns:
        From 0 to 1.

    Raises:
        ValueError: k is below 1, or there is not one answer for each ranking.

    Example:
        >>> recall_at_k([["a", "b"], ["a", "b"], ["b", "a"]], ["a", "b", "c"], k=1)
        0.3333333333333333
    """
    if k < 1:
        raise ValueError(f"k is {k}: give 1 or more")
    places = _places(rankings, relevant)
    return sum(place is not None and place <= k for place in places) / len(places)


def mean_reciprocal_rank(rankings: Sequence[Sequence[Item]], relevant: Sequence[Item]) -> float:
    """Return the mean over queries of 1 / the answer's place, 0 where it is missing.

    Args:
        rankings: One for each query, the best item first.
        relevant: The item that answers each.

    Returns:
        From 0 to 1.

    Raises:
        ValueError: There is not one answer for each ranking.

    Example:
        >>> mean_reciprocal_rank([["a", "b"], ["a", "b"], ["b", "a"]], ["a", "b", "c"])  # (1 + 1/2 + 0) / 3
        0.5
    """
    places = _places(rankings, relevant)
    return sum(1 / place for place in places if place is not None) / len(places)
